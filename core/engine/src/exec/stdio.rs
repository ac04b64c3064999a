//! Standard input, output and error: systemd.exec(5), "Logging and standard input/output".

use super::Draft;
use crate::api::Phase;
use eudaemon_plan::step::{CopyTo, Input, JournalStream, LevelPrefix, Output, Step, TakeTty};
use eudaemon_unit::config::exec::Stdio;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stream {
    Output,
    Error,
}

impl Draft<'_> {
    pub(super) fn streams(&mut self) {
        let input = self.input();
        let output = self.output(&self.exec.standard_output, Stream::Output, &input);
        let error = self.output(&self.exec.standard_error, Stream::Error, &input);
        self.add(Step::Stdin(input));
        self.add(Step::Stdout(output));
        self.add(Step::Stderr(error));
    }

    /// Whether the unit has to do with a terminal, so that TERM should say which.
    pub(super) fn knows_terminal(&self) -> bool {
        let exec = self.exec;
        exec.tty_path.is_some()
            || [&exec.standard_input, &exec.standard_output, &exec.standard_error]
                .into_iter()
                .any(Stdio::is_on_terminal)
    }

    pub(super) fn tty(&self) -> String {
        self.exec.tty_path.clone().unwrap_or_else(|| "/dev/console".to_owned())
    }

    /// Only what leads up to the main process reads the terminal: the others run beside it.
    fn may_read_terminal(&self) -> bool {
        match self.spawn.phase {
            Phase::Condition | Phase::StartPre | Phase::Start => true,
            Phase::StartPost
            | Phase::Reload
            | Phase::Stop
            | Phase::StopPost
            | Phase::StopPre
            | Phase::Health => false,
        }
    }

    fn input(&self) -> Input {
        let tty = |take| {
            if self.may_read_terminal() { Input::Tty { path: self.tty(), take } } else { Input::Null }
        };
        match &self.exec.standard_input {
            Stdio::Tty => tty(TakeTty::Wait),
            Stdio::TtyForce => tty(TakeTty::Force),
            Stdio::TtyFail => tty(TakeTty::Fail),
            Stdio::Socket if !self.facts.listen.is_empty() => Input::Fd(0),
            Stdio::NamedFd(name) => self.named(name).map_or(Input::Null, Input::Fd),
            Stdio::File(path) | Stdio::Append(path) | Stdio::Truncate(path) => Input::File(path.clone()),
            Stdio::Text if !self.exec.standard_input_text.is_empty() => {
                Input::Text(self.exec.standard_input_text.clone())
            }
            Stdio::Inherit
            | Stdio::Null
            | Stdio::Journal
            | Stdio::JournalConsole
            | Stdio::Kmsg
            | Stdio::KmsgConsole
            | Stdio::Text
            | Stdio::Socket => Input::Null,
        }
    }

    fn named(&self, name: &str) -> Option<u16> {
        self.facts.listen.iter().position(|known| known == name).and_then(|at| u16::try_from(at).ok())
    }

    fn output(&self, wanted: &Stdio, stream: Stream, input: &Input) -> Output {
        match wanted {
            Stdio::Inherit => match stream {
                Stream::Error => Output::SameAsOutput,
                Stream::Output => self.inherited(input),
            },
            Stdio::Null | Stdio::Text => Output::Null,
            Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail => match input {
                // The terminal that is read already, opened once.
                Input::Tty { .. } => Output::SameAsInput,
                Input::Null | Input::File(_) | Input::Fd(_) | Input::Text(_) => Output::Tty(self.tty()),
            },
            Stdio::Journal => Output::Journal(self.journal(CopyTo::None)),
            Stdio::JournalConsole | Stdio::KmsgConsole => Output::Journal(self.journal(CopyTo::Console)),
            Stdio::Kmsg => Output::Journal(self.journal(CopyTo::KernelLog)),
            Stdio::Socket if !self.facts.listen.is_empty() => Output::Fd(0),
            Stdio::Socket => Output::Null,
            Stdio::NamedFd(name) => match self.named(name) {
                Some(index) => Output::Fd(index),
                // Not a socket's name: the console init was started with. Our own log speaks there.
                None if name == "console" => Output::Console,
                None => Output::Null,
            },
            Stdio::File(path) => Output::File(path.clone()),
            Stdio::Append(path) => Output::Append(path.clone()),
            Stdio::Truncate(path) => Output::Truncate(path.clone()),
        }
    }

    /// Standard output as standard input is, if that can be written to. A command that may not read the
    /// terminal may still write to it.
    fn inherited(&self, input: &Input) -> Output {
        let terminal = matches!(&self.exec.standard_input, Stdio::Tty | Stdio::TtyForce | Stdio::TtyFail);
        match input {
            Input::Tty { .. } | Input::Fd(_) => Output::SameAsInput,
            Input::Null if terminal => Output::Tty(self.tty()),
            Input::Null | Input::File(_) | Input::Text(_) => Output::Null,
        }
    }

    fn journal(&self, copy: CopyTo) -> JournalStream {
        let exec = self.exec;
        let program = self.spawn.command.path.rsplit('/').next().unwrap_or("").to_owned();
        JournalStream {
            socket: self.facts.journal_socket.to_owned(),
            identifier: exec.syslog_identifier.clone().unwrap_or(program),
            unit: self.config.name.to_string(),
            priority: exec.syslog_facility << 3 | exec.syslog_level,
            level_prefix: if exec.syslog_level_prefix { LevelPrefix::Parsed } else { LevelPrefix::Verbatim },
            copy,
        }
    }
}
