//! `cobro run`: a command with its providers' hosts led to a throw-away sandbox.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use tokio::process::Command;

use super::client::Server;
use super::java;
use super::surroundings::{self, Plan};
use crate::config::Config;
use crate::platform;

/// The status when the sandbox cannot be started, as of other programs that run programs; 126 and
/// 127 mean a command that cannot be run or found.
const NOT_STARTED: u8 = 125;
const NOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;

/// The flags of `cobro run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Refuse every host that is not a provider's
    #[arg(long, conflicts_with = "server")]
    offline: bool,
    /// The base URL of a running server, in place of a throw-away one
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// Token of that server's control API; needed on any address but loopback
    #[arg(long, env = "COBRO_CONTROL_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    control_token: Option<String>,
    /// Show the sandbox's credentials on standard error
    #[arg(long)]
    print_world: bool,
    /// The command and its arguments
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<OsString>,
}

/// Runs the command; the answer is the status to end with.
pub(crate) async fn run(args: RunArgs) -> u8 {
    match prepared(args).await {
        Ok(status) => status,
        Err(error) => {
            say(&format!("{error:#}"));
            NOT_STARTED
        }
    }
}

async fn prepared(args: RunArgs) -> anyhow::Result<u8> {
    let Some(url) = &args.server else {
        let running = crate::serve::start(Config::throw_away(args.offline)).await?;
        let server = Server::at(&running.url, None)?;
        let directory = running.directory().to_owned();
        let status = with_server(&args, &server, &directory).await;
        // The command's status is what counts, however the sandbox ends.
        if let Err(error) = running.stop().await {
            say(&format!("{error:#}"));
        }
        return status;
    };
    let server = Server::at(url, args.control_token.clone())?;
    let directory = Temporary::new()?;
    with_server(&args, &server, &directory.0).await
}

async fn with_server(args: &RunArgs, server: &Server, directory: &PathBuf) -> anyhow::Result<u8> {
    let (program, arguments) = args.command.split_first().context("no command")?;
    let (ca_pem, world) = server.introduce().await?;
    if args.print_world {
        say_plain(&serde_json::to_string_pretty(&world)?);
    }
    let plan = Plan {
        directory,
        server,
        ca_pem: &ca_pem,
        world: &world,
        offline: args.offline,
        java: java::is_java(&program.to_string_lossy()),
    };
    let before = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let made = surroundings::prepare(&plan, &before)?;
    for remark in &made.remarks {
        say(remark);
    }
    let mut command = Command::new(program);
    command.args(arguments).envs(made.variables).kill_on_drop(true);
    // A secret of this installation is not the command's business.
    command.env_remove("COBRO_CONTROL_TOKEN");
    let mut signals = platform::Signals::listen()?;
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            say(&format!("{}: {error}", program.to_string_lossy()));
            return Ok(if error.kind() == ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN });
        }
    };
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            signal = signals.next() => platform::pass_on(signal, child.id()),
        }
    };
    Ok(platform::status_of(status))
}

/// A directory that goes when this does.
struct Temporary(PathBuf);

impl Temporary {
    fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("cobro-{}", crate::config::random_name()));
        std::fs::create_dir_all(&path).with_context(|| path.display().to_string())?;
        Ok(Self(path))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn say(text: &str) {
    say_plain(&format!("cobro: {text}"));
}

/// Standard output is the command's.
fn say_plain(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}
