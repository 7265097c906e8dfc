//! What differs between operating systems, and nothing else.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a file that only its owner can read. On Windows a file in a user's directory is
/// private by its access list.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path)
}

/// Makes the renaming of a file in its directory durable, where the system has such a call.
///
/// # Errors
/// What the system says.
pub(crate) fn sync_directory(of: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let parent = of.parent().filter(|parent| *parent != Path::new(""));
        File::open(parent.unwrap_or_else(|| Path::new(".")))?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = of;
    Ok(())
}

/// The requests of an operator or of the system that the process stop.
#[derive(Debug)]
pub(crate) struct StopRequests {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl StopRequests {
    /// From here on no request is missed, and none ends the process where it stands.
    ///
    /// # Errors
    /// When the system takes no handler.
    pub(crate) fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(windows)]
        {
            Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
        }
    }

    /// Waits until somebody asks the process to stop, or has done so since [`Self::listen`].
    pub(crate) async fn asked(&mut self) {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        }
        #[cfg(windows)]
        {
            self.interrupt.recv().await;
        }
    }
}

/// What other processes ask of this one while a command of its runs.
#[cfg(unix)]
pub(crate) struct Signals(Vec<(i32, tokio::signal::unix::Signal)>);
/// What other processes ask of this one while a command of its runs.
#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(unix)]
impl Signals {
    /// From now on signals no longer end this process.
    pub(crate) fn listen() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [
            SignalKind::interrupt(),
            SignalKind::terminate(),
            SignalKind::hangup(),
            SignalKind::quit(),
            SignalKind::user_defined1(),
            SignalKind::user_defined2(),
        ];
        let listen = |kind: SignalKind| Ok((kind.as_raw_value(), signal(kind)?));
        Ok(Self(kinds.into_iter().map(listen).collect::<io::Result<_>>()?))
    }

    /// The next signal, by number.
    pub(crate) async fn next(&mut self) -> i32 {
        std::future::poll_fn(|context| {
            for (number, signal) in &mut self.0 {
                if signal.poll_recv(context).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Ctrl-C reaches every program of a console by itself.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits, and takes Ctrl-C, so that this process outlives the command.
    pub(crate) async fn next(&mut self) -> i32 {
        let _ = tokio::signal::ctrl_c().await;
        0
    }
}

/// Passes a signal on. What a terminal sends, it sends to the command as well: a second one would
/// mean "at once" to many programs.
#[cfg(unix)]
pub(crate) fn pass_on(number: i32, child: Option<u32>) {
    use rustix::process::{Pid, Signal, getpgrp, kill_process};
    let from_keyboard = number == Signal::INT.as_raw() || number == Signal::QUIT.as_raw();
    let foreground = rustix::termios::tcgetpgrp(std::io::stdin()).ok();
    if from_keyboard && foreground == Some(getpgrp()) {
        return;
    }
    let child = child.and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    if let (Some(child), Some(signal)) = (child, Signal::from_named_raw(number)) {
        // The command may have ended meanwhile.
        let _ = kill_process(child, signal);
    }
}

/// Ctrl-C has reached the command by itself.
#[cfg(not(unix))]
pub(crate) fn pass_on(_: i32, _: Option<u32>) {}

/// The status with which a shell would tell how a command ended: 128 and the signal's number for
/// one that a signal ended.
pub(crate) fn status_of(status: std::process::ExitStatus) -> u8 {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt as _;
        if let Some(number) = status.signal() {
            return u8::try_from(number.saturating_add(128)).unwrap_or(u8::MAX);
        }
    }
    // Windows has statuses of 32 bits; what does not fit is a failure still.
    status.code().map_or(1, |code| u8::try_from(code).unwrap_or(1))
}

/// Lets this process have as many connections open as the system allows.
pub(crate) fn raise_descriptor_limit() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        const ENOUGH: u64 = 65_536;
        let limit = getrlimit(Resource::Nofile);
        let most = limit.maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
        if limit.current.is_some_and(|current| current < most) {
            let raised = Rlimit { current: Some(most), maximum: limit.maximum };
            if let Err(error) = setrlimit(Resource::Nofile, raised) {
                tracing::debug!(%error, "the limit of open files stays");
            }
        }
    }
}
