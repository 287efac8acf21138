// An echo by pion. Back-pressure as in its example data-channels-flow-control; a handler that waits holds reading up.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
)

// Senders stop at high unsent bytes and go on at low.
const (
	high = 1024 * 1024
	low  = 256 * 1024
)

func main() {
	port := flag.Int("port", 0, "the port of HTTP, or 0 for any")
	flag.Parse()
	settings := webrtc.SettingEngine{}
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	api := webrtc.NewAPI(webrtc.WithSettingEngine(settings))

	http.HandleFunc("/", func(writer http.ResponseWriter, request *http.Request) {
		headers := writer.Header()
		headers.Set("Access-Control-Allow-Origin", "*")
		headers.Set("Access-Control-Allow-Headers", "content-type")
		headers.Set("Access-Control-Max-Age", "7200")
		if request.URL.Path == "/allocations" {
			var memory runtime.MemStats
			runtime.ReadMemStats(&memory)
			fmt.Fprintln(writer, memory.Mallocs)
			return
		}
		if request.Method != http.MethodPost {
			writer.WriteHeader(http.StatusNoContent)
			return
		}
		answer, err := accept(api, request)
		if err != nil {
			log.Print(err)
			http.Error(writer, err.Error(), http.StatusInternalServerError)
			return
		}
		headers.Set("Content-Type", "application/json")
		writer.WriteHeader(http.StatusCreated)
		if err := json.NewEncoder(writer).Encode(answer); err != nil {
			log.Print(err)
		}
	})
	listener, err := net.Listen("tcp4", fmt.Sprintf("0.0.0.0:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}

func accept(api *webrtc.API, request *http.Request) (*webrtc.SessionDescription, error) {
	var offer webrtc.SessionDescription
	if err := json.NewDecoder(request.Body).Decode(&offer); err != nil {
		return nil, err
	}
	peer, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		return nil, err
	}
	peer.OnConnectionStateChange(func(state webrtc.PeerConnectionState) {
		if state == webrtc.PeerConnectionStateFailed {
			_ = peer.Close()
		}
	})
	peer.OnDataChannel(func(channel *webrtc.DataChannel) {
		attend(channel)
		channel.OnClose(func() { _ = peer.Close() })
	})
	if err := peer.SetRemoteDescription(offer); err != nil {
		return nil, err
	}
	answer, err := peer.CreateAnswer(nil)
	if err != nil {
		return nil, err
	}
	gathered := webrtc.GatheringCompletePromise(peer)
	if err := peer.SetLocalDescription(answer); err != nil {
		return nil, err
	}
	<-gathered
	return peer.LocalDescription(), nil
}

// attend does a channel's work, by its label (README.md).
func attend(channel *webrtc.DataChannel) {
	lowered := make(chan struct{}, 1)
	ended := make(chan struct{})
	channel.SetBufferedAmountLowThreshold(low)
	channel.OnBufferedAmountLow(func() {
		select {
		case lowered <- struct{}{}:
		default:
		}
	})
	channel.OnError(func(error) { close(ended) })
	// Now and then pion does not tell that the buffer is low, so that it is looked at as well.
	room := func() {
		for channel.BufferedAmount() >= high {
			select {
			case <-lowered:
			case <-time.After(50 * time.Millisecond):
			case <-ended:
				return
			}
		}
	}
	send := func(message webrtc.DataChannelMessage) {
		room()
		var err error
		if message.IsString {
			err = channel.SendText(string(message.Data))
		} else {
			err = channel.Send(message.Data)
		}
		if err != nil {
			log.Print(err)
		}
	}
	switch channel.Label() {
	case "sink":
		var received uint64
		channel.OnMessage(func(message webrtc.DataChannelMessage) {
			if !message.IsString {
				atomic.AddUint64(&received, uint64(len(message.Data)))
				return
			}
			count := strconv.FormatUint(atomic.LoadUint64(&received), 10)
			send(webrtc.DataChannelMessage{IsString: true, Data: []byte(count)})
		})
	case "source":
		channel.OnMessage(func(message webrtc.DataChannelMessage) {
			words := strings.Fields(string(message.Data))
			size, _ := strconv.Atoi(words[0])
			count, _ := strconv.Atoi(words[1])
			data := make([]byte, size)
			for ; count > 0; count-- {
				send(webrtc.DataChannelMessage{Data: data})
			}
		})
	default:
		channel.OnMessage(send)
	}
}
