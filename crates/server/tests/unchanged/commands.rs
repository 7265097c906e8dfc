//! `cobro run`, `env`, `tls` and `doctor`, as a shell sees them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use crate::program::{Directory, Server, cobro};

fn run(directory: &Directory, arguments: &[&str]) -> Output {
    cobro(&directory.0, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(unix)]
#[test]
fn the_status_is_the_commands() {
    let directory = Directory::new();
    for (command, expected) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -9 $$"], 137),
        (&["sh", "-c", "kill -15 $$"], 143),
        (&["no-such-command"], 127),
        (&["/"], 126),
    ] {
        let arguments = [&["run", "--"], command].concat();
        let output = run(&directory, &arguments);
        assert_eq!(output.status.code(), Some(expected), "{command:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "standard output is the command's");
    }
    assert_eq!(run(&directory, &["run"]).status.code(), Some(2), "no command");
    let nobody = run(&directory, &["run", "--server", "http://127.0.0.1:1", "--", "true"]);
    assert_eq!(nobody.status.code(), Some(125));
    assert_eq!(std::fs::read_dir(&directory.0).unwrap().count(), 0, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn signals_are_passed_on() {
    let directory = Directory::new();
    let script = "trap 'echo asked; exit 3' TERM; echo ready; read line; exit 4";
    let mut command = cobro(&directory.0, &["run", "--", "sh", "-c", script]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "ready");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(lines.next().unwrap().unwrap(), "asked");
    assert_eq!(child.wait().unwrap().code(), Some(3));
}

#[cfg(unix)]
#[test]
fn the_command_sees_its_surroundings() {
    let directory = Directory::new();
    let script = "curl -fsS $COBRO_CONTROL_URL/worlds/$COBRO_WORLD >/dev/null && \
                  test -r $COBRO_CA_FILE -a -r $SSL_CERT_FILE && echo $COBRO_URL && env";
    let output = run(&directory, &["run", "--print-world", "--", "sh", "-c", script]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let (url, environment) = printed.split_once('\n').unwrap();
    assert!(environment.contains(&format!("HTTPS_PROXY={url}\n")), "{environment}");
    assert!(environment.contains("PAX_A910__SBX0000001"));
    assert!(text(&output.stderr).contains("PAX_A910__SBX0000001"), "--print-world");
}

#[cfg(unix)]
#[test]
fn a_running_server_can_be_used_and_its_variables_evaluated() {
    let server = Server::start(&[]);
    let url = format!("http://{}", server.address);
    let arguments = ["run", "--server", &url, "--", "sh", "-c", "echo $COBRO_URL"];
    let output = run(&server.directory, &arguments);
    assert_eq!(text(&output.stdout).trim(), url, "{}", text(&output.stderr));

    let env = run(&server.directory, &["env", "--shell", "bash"]);
    assert!(env.status.success(), "{}", text(&env.stderr));
    let set = text(&env.stdout);
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{set}\n{script}")]).current_dir(&server.directory.0);
        command.output().unwrap()
    };
    let called =
        shell("curl -sS -o /dev/null -w '%{http_code}' https://api.mercadopago.com/v1/payments/1");
    assert_eq!(text(&called.stdout), "401", "{}", text(&called.stderr));
    let program = cobro(&server.directory.0, &[]).get_program().to_string_lossy().into_owned();
    let doctor = shell(&format!("'{program}' doctor"));
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
    assert!(text(&doctor.stdout).contains("HTTPS_PROXY leads to the server"));
    let unset = run(&server.directory, &["env", "--shell", "bash", "--unset"]);
    let left = shell(&format!("{}\nenv", text(&unset.stdout)));
    assert!(!text(&left.stdout).contains("HTTPS_PROXY"), "undoing leaves nothing");
}

#[test]
fn the_doctor_says_that_no_server_runs() {
    let directory = Directory::new();
    let output = run(&directory, &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("no server runs"), "{}", text(&output.stdout));
}

#[test]
fn the_ca_is_made_once_and_its_key_is_private() {
    let directory = Directory::new();
    let data = directory.0.join("data").display().to_string();
    let first = run(&directory, &["tls", "init", "--data", &data]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = run(&directory, &["tls", "init", "--data", &data]);
    assert_eq!(text(&first.stdout), text(&second.stdout));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = directory.0.join("data").join("ca.key");
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let status = run(&directory, &["tls", "status", "--data", &data]);
    assert!(text(&status.stdout).contains("SHA-256"), "{}", text(&status.stdout));
    let hosts = run(&directory, &["tls", "hosts"]);
    assert!(text(&hosts.stdout).contains("127.0.0.1 api.payclip.com # cobro\n"));
}
