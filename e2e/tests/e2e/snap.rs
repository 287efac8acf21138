//! A browser whose offer says how SCTP begins (SNAP), which Chromium does if it is told to.

use anyhow::Result;
use hola_webrtc_e2e::{Browser, SNAP, Setup, Stage, in_browser_as};

use crate::{by_hand, conversation::converse};

/// The descriptions of both sides.
const DESCRIPTIONS: &str = "const { localDescription, remoteDescription } = window.connection;
    return [localDescription.sdp, remoteDescription.sdp];";

/// What goes back and forth once the page by hand has its channel: more than any window holds.
const TRANSFER: &str = "window.transferred ??= (() => {
    const channel = window.connection.createDataChannel('bulk');
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = 1 << 18;
    let [sent, received] = [0, 0];
    channel.onopen = channel.onbufferedamountlow = () => {
        for (; sent < 256 && channel.bufferedAmount < 1 << 20; sent++) channel.send(new Uint8Array(16384).fill(sent));
    };
    channel.onmessage = ({ data }) => {
        const bytes = new Uint8Array(data);
        if (bytes.length !== 16384 || bytes.some((byte) => byte !== received)) window.transferred = 'wrong';
        else if (++received === 256) window.transferred = 'whole';
    };
    return 'under way';
})();
return window.transferred;";

fn setup() -> Setup {
    Setup { features: vec![SNAP.to_owned()], ..Setup::new("es") }
}

#[test]
fn offer_and_answer_set_sctp_up_and_messages_flow() -> Result<()> {
    in_browser_as(Browser::Chromium, &setup(), async |stage: &mut Stage| {
        by_hand::greeted_and_echoed(stage).await?;
        let both = |sdp: &Vec<String>| sdp.iter().all(|sdp| sdp.contains("\r\na=sctp-init:"));
        stage.page.until_script("offer and answer say how SCTP begins", DESCRIPTIONS, both).await?;
        let is_over = |state: &String| state != "under way";
        let transferred = stage.page.until_script("4 MiB came back", TRANSFER, is_over).await?;
        assert_eq!(transferred, "whole");
        Ok(())
    })
}

#[test]
fn one_click_leads_through_eight_steps_to_an_echo() -> Result<()> {
    in_browser_as(Browser::Chromium, &setup(), converse)
}
