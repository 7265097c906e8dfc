//! `cobro run`, `env`, `tls` and `doctor`, as a shell sees them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Output, Stdio};

use crate::program::Server;
use crate::shared::place::Place;
use crate::shared::server::bare_command;

fn run(place: &Place, arguments: &[&str]) -> Output {
    bare_command(place, arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(unix)]
#[test]
fn the_status_is_the_commands() {
    let place = Place::sqlite();
    for (command, expected) in [
        (&["true"][..], 0),
        (&["sh", "-c", "exit 7"], 7),
        (&["sh", "-c", "kill -9 $$"], 137),
        (&["sh", "-c", "kill -15 $$"], 143),
        (&["no-such-command"], 127),
        (&["/"], 126),
    ] {
        let arguments = [&["run", "--"], command].concat();
        let output = run(&place, &arguments);
        assert_eq!(output.status.code(), Some(expected), "{command:?}: {}", text(&output.stderr));
        assert!(output.stdout.is_empty(), "standard output is the command's");
    }
    assert_eq!(run(&place, &["run"]).status.code(), Some(2), "no command");
    let nobody = run(&place, &["run", "--server", "http://127.0.0.1:1", "--", "true"]);
    assert_eq!(nobody.status.code(), Some(125));
    assert_eq!(std::fs::read_dir(place.directory()).unwrap().count(), 0, "nothing is left behind");
}

#[cfg(unix)]
#[test]
fn signals_are_passed_on() {
    let place = Place::sqlite();
    let script = "trap 'echo asked; exit 3' TERM; echo ready; read line; exit 4";
    let mut command = bare_command(&place, &["run", "--", "sh", "-c", script]);
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
    let place = Place::sqlite();
    let script = "curl -fsS $COBRO_CONTROL_URL/worlds/$COBRO_WORLD >/dev/null && \
                  test -r $COBRO_CA_FILE -a -r $SSL_CERT_FILE && echo $COBRO_URL && env";
    let output = run(&place, &["run", "--print-world", "--", "sh", "-c", script]);
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
    let output = run(&server.place, &arguments);
    assert_eq!(text(&output.stdout).trim(), url, "{}", text(&output.stderr));

    let env = run(&server.place, &["env", "--shell", "bash"]);
    assert!(env.status.success(), "{}", text(&env.stderr));
    let set = text(&env.stdout);
    let shell = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{set}\n{script}")]).current_dir(server.place.directory());
        command.output().unwrap()
    };
    let called =
        shell("curl -sS -o /dev/null -w '%{http_code}' https://api.mercadopago.com/v1/payments/1");
    assert_eq!(text(&called.stdout), "401", "{}", text(&called.stderr));
    let program = bare_command(&server.place, &[]).get_program().to_string_lossy().into_owned();
    let doctor = shell(&format!("'{program}' doctor"));
    assert!(doctor.status.success(), "{}", text(&doctor.stdout));
    assert!(text(&doctor.stdout).contains("HTTPS_PROXY leads to the server"));
    let unset = run(&server.place, &["env", "--shell", "bash", "--unset"]);
    let left = shell(&format!("{}\nenv", text(&unset.stdout)));
    assert!(!text(&left.stdout).contains("HTTPS_PROXY"), "undoing leaves nothing");
}

#[test]
fn the_doctor_says_that_no_server_runs() {
    let place = Place::sqlite();
    let output = run(&place, &["doctor"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stdout).contains("no server runs"), "{}", text(&output.stdout));
}

#[test]
fn the_ca_is_made_once_and_its_key_is_private() {
    let place = Place::sqlite();
    let data = place.directory().join("data").display().to_string();
    let first = run(&place, &["tls", "init", "--data", &data]);
    assert!(first.status.success(), "{}", text(&first.stderr));
    let second = run(&place, &["tls", "init", "--data", &data]);
    assert_eq!(text(&first.stdout), text(&second.stdout));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let key = place.directory().join("data").join("ca.key");
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let status = run(&place, &["tls", "status", "--data", &data]);
    assert!(text(&status.stdout).contains("SHA-256"), "{}", text(&status.stdout));
    let hosts = run(&place, &["tls", "hosts"]);
    assert!(text(&hosts.stdout).contains("127.0.0.1 api.payclip.com # cobro\n"));
}
