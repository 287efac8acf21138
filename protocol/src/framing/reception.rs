//! What a side makes of the frames that come.

use super::{
    Ended, Fault, Frame, Framing, Hello, Info, MIN_WINDOW, Role, State, VERSION, frame::shorten,
    incoming::Incoming, outgoing::Outgoing,
};

impl<P> Framing<P> {
    /// The first frame.
    pub(super) fn begin(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        let (_, frame) = Frame::decode(bytes, self.resume.is_some()).map_err(|fault| match fault {
            Fault::UnexpectedFrame => Fault::NotFramed,
            fault => fault,
        })?;
        let hello = match (self.role, frame) {
            (Role::Acceptor, Frame::Open(hello)) | (Role::Opener, Frame::Accept(hello)) => hello,
            (_, Frame::End { code, reason }) => {
                self.end(Ended::ByRemote { code, reason: reason.to_owned() });
                return Ok(());
            }
            _ => return Err(Fault::NotFramed),
        };
        if hello.version != VERSION || hello.window < MIN_WINDOW {
            return Err(Fault::Version);
        }
        let resumed = hello.resume.as_ref().filter(|resume| resume.resumes).map(|resume| resume.received);
        let may_resume = self.is_established || self.asks_to_resume();
        match (resumed, &mut self.ledger) {
            (Some(received), Some(ledger)) if may_resume => {
                ledger.resume(received)?;
                if !self.is_established {
                    self.meet(hello);
                }
            }
            (Some(_), _) if self.role == Role::Opener => return Err(Fault::Sequence),
            (None, Some(_)) if self.is_established && self.role == Role::Acceptor => {
                return Err(Fault::Taken);
            }
            // The opener may ask in vain for what is gone, or was never there.
            _ => {
                if self.is_established {
                    self.renew();
                }
                self.meet(hello);
            }
        }
        if self.role == Role::Acceptor {
            self.hello = Some(Frame::Accept(self.hello(self.is_established)).encode(None));
        }
        (self.is_established, self.state) = (true, State::Open);
        Ok(())
    }

    /// The far side begins.
    fn meet(&mut self, hello: Hello) {
        self.messages.renew(hello.window);
        for transfer in &mut self.outgoing {
            transfer.lane.renew(hello.window);
        }
        self.peer = hello;
    }

    pub(super) fn continued(
        &mut self,
        now: u64,
        bytes: &[u8],
        payload: &mut dyn FnMut(usize) -> P,
    ) -> Result<(), Fault> {
        let (header, frame) = Frame::decode(bytes, self.resume.is_some())?;
        if let (Some(ledger), Some(header)) = (&mut self.ledger, header) {
            ledger.receive(header, bytes.len(), now)?;
        }
        let length = bytes.len();
        match frame {
            Frame::Open(_) | Frame::Accept(_) => Err(Fault::UnexpectedFrame),
            Frame::End { code, reason } => {
                self.end(Ended::ByRemote { code, reason: reason.to_owned() });
                Ok(())
            }
            Frame::Ack { received } => self.ledger.as_mut().map_or(Ok(()), |it| it.acknowledge(received)),
            Frame::Message { text, more, payload: data } => {
                let lengths = (data.len(), length);
                let content = payload(length - data.len());
                let limit = self.inbox.take((text, more), lengths, self.limits.max_message, content)?;
                self.grant(0, limit);
                Ok(())
            }
            Frame::Credit { transfer: 0, limit } => self.messages.grant(limit),
            Frame::Credit { transfer, limit } => self.sending(transfer)?.lane.grant(limit),
            Frame::Start { transfer, total, name, kind } => {
                self.started(transfer, Info { total, name: name.to_owned(), kind: kind.to_owned() })
            }
            Frame::Chunk { transfer, payload: data } => {
                let content = payload(length - data.len());
                let refusal = self.receiving(transfer)?.take(data, length, content)?;
                self.refuse(transfer, refusal);
                Ok(())
            }
            Frame::Finish { transfer, length, checksum } => {
                let refusal = self.receiving(transfer)?.finish(length, checksum)?;
                self.refuse(transfer, refusal);
                self.sweep();
                Ok(())
            }
            Frame::Reset { transfer, reason } => {
                self.receiving(transfer)?.reset(reason)?;
                self.sweep();
                Ok(())
            }
            Frame::Stop { transfer, reason } => {
                self.sending(transfer)?.stopped(reason);
                Ok(())
            }
            Frame::Done { transfer } => {
                let sending = self.sending(transfer)?;
                if !sending.may_be_done() {
                    return Err(Fault::Transfer);
                }
                sending.is_done = true;
                self.sweep();
                Ok(())
            }
        }
    }

    fn started(&mut self, number: u32, info: Info) -> Result<(), Fault> {
        if number <= self.last_incoming {
            return Err(Fault::Transfer);
        }
        let under_way = self.incoming.iter().filter(|transfer| transfer.number != 0).count();
        if under_way >= usize::from(self.limits.max_transfers) {
            return Err(Fault::TooManyTransfers);
        }
        self.last_incoming = number;
        self.last_key += 1;
        self.incoming.push(Incoming::new(self.last_key, number, info, self.limits.window));
        Ok(())
    }

    fn sending(&mut self, number: u32) -> Result<&mut Outgoing, Fault> {
        let transfer = self.outgoing.iter_mut().find(|it| it.number == number && !it.is_done);
        transfer.ok_or(Fault::Transfer)
    }

    fn receiving(&mut self, number: u32) -> Result<&mut Incoming<P>, Fault> {
        let transfer = self.incoming.iter_mut().find(|it| it.number == number && number != 0);
        transfer.ok_or(Fault::Transfer)
    }

    fn refuse(&mut self, transfer: u32, refusal: Option<&str>) {
        if let Some(reason) = refusal {
            self.control(&Frame::Stop { transfer, reason: shorten(reason) });
        }
    }
}
