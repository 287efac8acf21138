//! Drives the peers that there is something to do for, and takes from each what that brought about.

use std::{
    mem,
    time::{Duration, Instant},
};

use hola_webrtc_protocol::SessionId;

use super::{super::peer::Outcome, Core};
use crate::{metrics::Limit, session::Closed};

/// A timer that is already due again is served this much later, so that no peer can keep the engine busy.
const TIMER_STEP: Duration = Duration::from_millis(1);

impl Core {
    /// When [`Core::flush`] is due even if nothing happens: at once if something has happened since the last.
    pub(in crate::engine) fn deadline(&self) -> Option<Instant> {
        let at_once = self.flushed.filter(|_| !self.touched.is_empty());
        at_once.or_else(|| self.timers.first().map(|(due, _)| *due))
    }

    /// Hands what has come since the last flush to the handlers, so that they may reply before it. Returns whether there
    /// was a message.
    pub(in crate::engine) fn deliver(&mut self, now: Instant) -> bool {
        let mut has_talked = false;
        for index in 0..self.touched.len() {
            has_talked |= self.attempt(now, self.touched[index], |peer| peer.deliver(now)) == Some(true);
        }
        has_talked
    }

    /// Drives every peer that something has happened to, whose timer is due or whose bell has rung.
    pub(in crate::engine) fn flush(&mut self, now: Instant) {
        self.flushed = Some(now);
        while let Some(&(due, id)) = self.timers.first() {
            if due > now {
                break;
            }
            self.timers.pop_first();
            if let Some(entry) = self.peers.get_mut(&id) {
                entry.timer = None;
            }
            self.touch(id);
        }
        for id in self.bells.take() {
            self.touch(id);
        }
        for id in mem::take(&mut self.touched) {
            self.drive(now, id);
        }
    }

    fn drive(&mut self, now: Instant, id: SessionId) {
        if let Some(entry) = self.peers.get_mut(&id) {
            entry.is_touched = false;
        }
        let driven = self.attempt(now, id, |peer| {
            peer.doorbell.answer();
            (peer.drive(now), peer.deadline(), peer.ended(), peer.hold())
        });
        let Some((outcome, deadline, ended, (held, holds))) = driven else { return };
        let Some(entry) = self.peers.get_mut(&id) else { return };

        let Outcome { datagrams, proven, selected, opened, home } = outcome;
        self.out.datagrams.extend(datagrams);
        self.out.opened.extend(opened.map(|mut session| {
            session.run_on(self.runtime.clone());
            session
        }));
        for path in proven {
            self.registry.claim(path, &entry.peer.resident, false, now);
        }
        if let Some(path) = selected {
            self.registry.claim(path, &entry.peer.resident, true, now);
        }
        let stale = entry.peer.forget_stale_paths();
        if !stale.is_empty() {
            self.registry.forget(&entry.peer.resident, stale);
        }
        let is_within = self.registry.hold(held, holds);
        if let Some(reason) = ended {
            return self.remove(id, reason);
        }
        if !is_within {
            self.registry.metrics().limit_reached(Limit::TotalBuffer);
            entry.peer.end(Closed::Overloaded);
            return self.touch(id);
        }
        if let Some(worker) = home.filter(|worker| *worker != self.worker) {
            return self.send_off(id, worker);
        }
        let due = deadline.max(now + TIMER_STEP);
        if entry.timer != Some(due) {
            if let Some(old) = entry.timer.replace(due) {
                self.timers.remove(&(old, id));
            }
            self.timers.insert((due, id));
        }
    }

    fn send_off(&mut self, id: SessionId, worker: usize) {
        if let Some(peer) = self.forget(id) {
            self.out.leaving.push((worker, peer));
        }
    }
}
