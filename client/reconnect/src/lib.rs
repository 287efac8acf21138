//! When a session that stays restarts ICE, connects again, waits or gives up, for the JavaScript in `client/js/reconnect.js`.
//! No API for anybody else.
//!
//! It is a module of its own, which is loaded for sessions with `reconnect`, and others do without.

mod words;

use hola_webrtc_protocol::reconnect::{Action, Backoff, Event, Reconnect};
#[cfg(target_family = "wasm")]
use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};
use wasm_bindgen::prelude::*;
use words::{News, Task};

/// In place of the standard library's allocator, which weighs more.
#[cfg(target_family = "wasm")]
#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// The policy of one session. Times are in milliseconds since the page was loaded.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Policy {
    reconnect: Reconnect,
    number: u32,
    wait: u64,
}

#[wasm_bindgen]
impl Policy {
    /// That of a session that connects for the first time.
    #[wasm_bindgen(constructor)]
    pub fn new(attempts: f64, delay: f64, max_delay: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
        let attempts = attempts.is_finite().then_some(attempts.ceil() as u32);
        // Of less than a millisecond nothing would be left to double.
        let backoff = Backoff { attempts, delay: millis(delay.ceil()), max_delay: millis(max_delay.ceil()) };
        Self { reconnect: Reconnect::new(backoff), number: 0, wait: 0 }
    }

    /// Something has happened. What has failed is worth another attempt, though not before the server wants to be asked.
    pub fn handle(&mut self, news: News, now: f64, chance: f64, retry_after: f64) -> Option<Task> {
        let event = match news {
            News::Connected => Event::Connected,
            News::Disconnected => Event::Disconnected,
            News::Changed => Event::NetworkChanged,
            News::Online => Event::Online,
            News::Offline => Event::Offline,
            News::Restarted => Event::Restarted,
            News::Closed => Event::Closed,
            News::Failed => Event::Failed { retryable: true, retry_after: Some(millis(retry_after)) },
            _ => return None,
        };
        // The millisecond that has begun does not count, lest an attempt come too early.
        let action = self.reconnect.handle(millis(now) + 1, chance, event);
        self.task(action)
    }

    /// What is due.
    pub fn poll(&mut self, now: f64) -> Option<Task> {
        let action = self.reconnect.poll(millis(now));
        self.task(action)
    }

    /// When something is: for ever not, if nothing is waited for.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds since the page was loaded")]
    pub fn due(&self) -> f64 {
        self.reconnect.due().map_or(f64::INFINITY, |due| due as f64)
    }

    /// The last attempt's number, from one.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// How long it waits, in milliseconds.
    #[expect(clippy::cast_precision_loss, reason = "a wait is far below 2^53 ms")]
    pub fn wait(&self) -> f64 {
        self.wait as f64
    }
}

impl Policy {
    fn task(&mut self, action: Option<Action>) -> Option<Task> {
        action.map(|action| match action {
            Action::RestartIce => Task::RestartIce,
            Action::Wait { number, wait } => {
                (self.number, self.wait) = (number, wait);
                Task::Wait
            }
            Action::Connect { .. } => Task::Connect,
            Action::GiveUp(_) => Task::GiveUp,
        })
    }
}

/// Whole numbers of JavaScript.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
fn millis(number: f64) -> u64 {
    number as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_milliseconds_and_of_attempts_count_as_whole_ones() {
        let mut policy = Policy::new(2.5, 0.5, 2.5);
        policy.handle(News::Connected, 0.0, 1.0, 0.0);
        for wait in [1.0, 2.0, 3.0] {
            assert!(matches!(policy.handle(News::Failed, 0.0, 1.0, 0.0), Some(Task::Wait)));
            assert_eq!((policy.wait(), policy.due()), (wait, wait + 1.0));
            assert!(matches!(policy.poll(policy.due()), Some(Task::Connect)));
        }
        assert!(matches!(policy.handle(News::Failed, 0.0, 1.0, 0.0), Some(Task::GiveUp)));
    }
}
