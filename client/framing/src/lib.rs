//! One side of a channel that speaks the framing (`docs/framing.md`), for the JavaScript in `client/js/framed.js`. No API for
//! anybody else.
//!
//! It is a module of its own, which pages load that have such channels, and others do without.

use hola_webrtc_protocol::framing::{
    Fault, Framing as State, Info, Limits, Read, ResumeId, Role, State as Stage, Transfer, Unsendable,
};
use js_sys::{Array, ArrayBuffer, Uint8Array};
#[cfg(target_family = "wasm")]
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::*;
use web_sys::RtcDataChannel;

/// In place of the standard library's allocator, which weighs more.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// One side of a channel. Payloads stay where the browser has put them; what comes is copied in once, for the checksum.
#[wasm_bindgen]
pub struct Framing(State<Uint8Array>);

#[wasm_bindgen]
impl Framing {
    /// The opener's side, or the other one; resumable under 16 random bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(is_opener: bool, id: Option<Vec<u8>>) -> Self {
        let role = if is_opener { Role::Opener } else { Role::Acceptor };
        let id = id.and_then(|id| Some(ResumeId(id.try_into().ok()?)));
        Self(State::new(role, Limits::BROWSER, id))
    }

    /// A data channel is open for it.
    pub fn attach(&mut self) {
        self.0.attach();
    }

    /// Its data channel is gone.
    pub fn detach(&mut self) {
        self.0.detach();
    }

    /// It is not resumed any more.
    #[wasm_bindgen(js_name = giveUp)]
    pub fn give_up(&mut self) {
        self.0.give_up();
    }

    /// A message of the data channel came.
    pub fn handle(&mut self, now: f64, message: &ArrayBuffer) {
        let view = Uint8Array::new(message);
        let bytes = view.to_vec();
        // What is wrong with it the other side is told; the state says that it has ended.
        let _ = self.0.handle(millis(now), &bytes, &mut |offset| {
            #[expect(clippy::cast_possible_truncation, reason = "a frame has 16 KiB and a bit")]
            view.subarray(offset as u32, bytes.len() as u32)
        });
    }

    /// A message of the data channel came that is text.
    #[wasm_bindgen(js_name = handleText)]
    pub fn handle_text(&mut self) {
        self.0.fail(Fault::NotBinary);
    }

    /// A text was not UTF-8.
    #[wasm_bindgen(js_name = notUtf8)]
    pub fn not_utf8(&mut self) {
        self.0.fail(Fault::NotUtf8);
    }

    /// Sends what there is, until so many bytes wait in the browser. Throws what the browser throws.
    pub fn pump(&mut self, channel: &RtcDataChannel, now: f64, high_water: u32) -> Result<(), JsValue> {
        while channel.buffered_amount() < high_water {
            let Some(frame) = self.0.transmit(millis(now)) else { break };
            channel.send_with_u8_array(&frame)?;
        }
        Ok(())
    }

    /// When it has to be pumped even if nothing happens.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the page was loaded")]
    pub fn due(&self) -> Option<f64> {
        self.0.due().map(|due| due as f64)
    }

    /// Whether both sides speak.
    #[wasm_bindgen(js_name = isOpen)]
    pub fn is_open(&self) -> bool {
        *self.0.state() == Stage::Open
    }

    /// How it ended: undefined if it has not, empty if one side closed it, else the name of what was wrong.
    pub fn ended(&self) -> Option<String> {
        use hola_webrtc_protocol::framing::Ended;
        let Stage::Ended(how) = self.0.state() else { return None };
        Some(match how {
            Ended::ByRemote { code: 1.., reason } => reason.clone(),
            Ended::Fault(fault) => fault.as_str().to_owned(),
            Ended::Lost => "lost".to_owned(),
            _ => String::new(),
        })
    }

    /// Queues a message. Undefined if that went well, 0 if the channel is not open, else the largest size there may be.
    pub fn send(&mut self, is_text: bool, data: &[u8]) -> Option<u32> {
        self.0.send(is_text, data).err().map(|error| match error {
            Unsendable::NotOpen => 0,
            Unsendable::TooLarge(max) => max,
        })
    }

    /// The largest message that the other side takes.
    #[wasm_bindgen(js_name = maxMessage)]
    pub fn max_message(&self) -> u32 {
        self.0.max_message()
    }

    /// How many bytes of messages wait here.
    pub fn buffered(&self) -> usize {
        self.0.buffered()
    }

    /// The next message: whether it is text, then its pieces.
    pub fn receive(&mut self) -> Option<Array> {
        let message = self.0.receive()?;
        let array = Array::of1(&message.text.into());
        for part in &message.parts {
            array.push(part);
        }
        Some(array)
    }

    /// The messages of which it is not known that they arrived: for each whether it is text, its content, and whether that
    /// is whole.
    #[wasm_bindgen(js_name = takeUndelivered)]
    pub fn take_undelivered(&mut self) -> Array {
        let undelivered = self.0.take_undelivered().into_iter().map(|message| {
            let data = Uint8Array::from(&message.data[..]);
            Array::of3(&message.text.into(), &data, &message.is_whole.into())
        });
        undelivered.collect()
    }

    /// Closes it once everything is delivered.
    pub fn close(&mut self) {
        self.0.close();
    }
}

/// Transfers to the other side.
#[wasm_bindgen]
impl Framing {
    /// Begins one; undefined while the other side takes no more.
    pub fn start(&mut self, total: Option<f64>, name: String, kind: String) -> Option<u32> {
        self.0.start(&Info { total: total.map(millis), name, kind })
    }

    /// Whether it takes more now.
    #[wasm_bindgen(js_name = hasRoom)]
    pub fn has_room(&self, key: u32) -> bool {
        matches!(self.0.transfer(key), Some(Transfer::Sending { has_room: true, .. }))
    }

    /// How many bytes have left; undefined once it is over.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 8 PiB")]
    pub fn sent(&self, key: u32) -> Option<f64> {
        match self.0.transfer(key)? {
            Transfer::Sending { sent, .. } => Some(sent as f64),
            _ => None,
        }
    }

    /// Why it failed; undefined if it has not.
    pub fn failure(&self, key: u32) -> Option<String> {
        match self.0.transfer(key)? {
            Transfer::Failed(reason) => Some(reason),
            _ => None,
        }
    }

    /// Queues a piece.
    pub fn write(&mut self, key: u32, data: &[u8]) {
        self.0.write(key, data);
    }

    /// All of it is written.
    pub fn finish(&mut self, key: u32) {
        self.0.finish(key);
    }

    /// Gives it up.
    pub fn reset(&mut self, key: u32, reason: &str) {
        self.0.reset(key, reason);
    }

    /// Nobody wants to know of it any more.
    pub fn forget(&mut self, key: u32) {
        self.0.forget(key);
    }
}

/// Transfers from the other side.
#[wasm_bindgen]
impl Framing {
    /// The next that begins: its key, its length if that is known, its name, its media type.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 8 PiB")]
    pub fn accept(&mut self) -> Option<Array> {
        let (key, info) = self.0.accept()?;
        let total = info.total.map_or(JsValue::UNDEFINED, |total| (total as f64).into());
        Some(Array::of4(&key.into(), &total, &info.name.into(), &info.kind.into()))
    }

    /// What comes next of one: a piece, null at its end, a text if it failed; undefined if it is not there yet.
    pub fn read(&mut self, key: u32) -> JsValue {
        match self.0.read(key) {
            None => JsValue::UNDEFINED,
            Some(Read::Chunk(chunk)) => chunk.into(),
            Some(Read::End) => JsValue::NULL,
            Some(Read::Failed(reason)) => reason.into(),
        }
    }

    /// Wants no more of it.
    pub fn stop(&mut self, key: u32, reason: &str) {
        self.0.stop(key, reason);
    }
}

/// Whole numbers of JavaScript.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn millis(number: f64) -> u64 {
    number as u64
}
