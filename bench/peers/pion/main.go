// An echo by pion. Channels are detached, as its documentation has it for messages of more than 16 KiB; back-pressure as in its
// example data-channels-flow-control: who waits to send does not read.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/pion/ice/v2"
	"github.com/pion/webrtc/v3"
)

// Senders stop at high unsent bytes and go on at low.
const (
	high = 1024 * 1024
	low  = 512 * 1024
)

// The answer names no limit, which means this one (RFC 8841).
const largest = 64 * 1024

func main() {
	port := flag.Int("port", 0, "the port of HTTP, or 0 for any")
	flag.Parse()
	settings := webrtc.SettingEngine{}
	settings.DetachDataChannels()
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
		channel.OnOpen(func() {
			if err := attend(channel, peer); err != nil && !errors.Is(err, io.EOF) {
				log.Print(err)
			}
			_ = peer.Close()
		})
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

// attend does a channel's work, by its label (README.md), until the channel ends.
func attend(channel *webrtc.DataChannel, peer *webrtc.PeerConnection) error {
	raw, err := channel.Detach()
	if err != nil {
		return err
	}
	lowered := make(chan struct{}, 1)
	channel.SetBufferedAmountLowThreshold(low)
	channel.OnBufferedAmountLow(func() {
		select {
		case lowered <- struct{}{}:
		default:
		}
	})
	send := func(data []byte, isString bool) error {
		for channel.BufferedAmount() >= high && peer.ConnectionState() < webrtc.PeerConnectionStateFailed {
			select {
			case <-lowered:
			// Now and then pion does not tell that the buffer is low, so that it is looked at as well.
			case <-time.After(50 * time.Millisecond):
			}
		}
		_, err := raw.WriteDataChannel(data, isString)
		return err
	}
	buffer := make([]byte, largest)
	received := 0
	for {
		length, isString, err := raw.ReadDataChannel(buffer)
		if err != nil {
			return err
		}
		message := buffer[:length]
		switch {
		case channel.Label() == "sink" && !isString:
			received += length
		case channel.Label() == "sink":
			err = send([]byte(strconv.Itoa(received)), true)
		case channel.Label() == "source":
			var size, count int
			_, err = fmt.Sscan(string(message), &size, &count)
			for data := make([]byte, size); count > 0 && err == nil; count-- {
				err = send(data, false)
			}
		default:
			err = send(message, isString)
		}
		if err != nil {
			return err
		}
	}
}
