use clap::CommandFactory;
use hola_webrtc_server::Limits;

use super::*;

const GUIDES: [&str; 2] =
    [include_str!("../../../docs/operations.md"), include_str!("../../../docs/operations.es.md")];
const READMES: [&str; 2] = [include_str!("../../../README.md"), include_str!("../../../README.es.md")];
const UNIT: &str = include_str!("../../../contrib/hola-webrtc.service");

fn parse(arguments: &[&str]) -> Result<Cli, clap::Error> {
    Cli::try_parse_from([&["hola-webrtc"], arguments].concat())
}

fn flags() -> Vec<clap::Arg> {
    let is_ours = |flag: &&clap::Arg| flag.get_long().is_some_and(|long| !matches!(long, "help" | "version"));
    Cli::command().get_arguments().filter(is_ours).cloned().collect()
}

/// The flag's row in a table, if it has one.
fn row<'a>(text: &'a str, flag: &clap::Arg) -> Option<&'a str> {
    let name = flag.get_value_names().and_then(|names| names.first()).map_or("", |name| name.as_str());
    let first = format!("| `--{} {name}` |", flag.get_long().unwrap());
    text.lines().find(|line| line.starts_with(&first))
}

#[track_caller]
fn assert_names_the_default(row: &str, flag: &clap::Arg) {
    for default in flag.get_default_values() {
        assert!(row.contains(&format!("| `{}` |", default.display())), "{row}");
    }
}

#[test]
fn the_guides_list_every_flag_with_its_default_and_none_that_is_gone() {
    for guide in GUIDES {
        for flag in flags() {
            let row = row(guide, &flag).unwrap_or_else(|| panic!("--{} is not listed", flag.get_id()));
            assert_names_the_default(row, &flag);
        }
        let listed = guide.lines().filter(|line| line.starts_with("| `--")).count();
        assert_eq!(listed, flags().len());
    }
}

#[test]
fn the_readmes_list_flags_that_exist_with_their_defaults() {
    for readme in READMES {
        let listed: Vec<_> =
            flags().into_iter().filter_map(|flag| Some((row(readme, &flag)?, flag))).collect();
        assert!(listed.len() > 8);
        assert_eq!(listed.len(), readme.lines().filter(|line| line.starts_with("| `--")).count());
        for (row, flag) in listed {
            assert_names_the_default(row, &flag);
        }
    }
}

#[test]
fn the_guides_name_no_flag_that_is_gone() {
    let names: Vec<_> = flags().iter().map(|flag| flag.get_long().unwrap().to_owned()).collect();
    for guide in GUIDES {
        for (index, _) in guide.match_indices("`--") {
            let flag = &guide[index + 3..];
            let flag = &flag[..flag.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap()];
            let is_other = flag == "network";
            assert!(is_other || names.iter().any(|name| name == flag), "--{flag}");
        }
    }
}

#[test]
fn the_systemd_unit_and_the_guides_use_flags_that_exist() {
    let start = UNIT.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let (program, arguments) = start.split_once(' ').unwrap();
    assert!(program.ends_with("/hola-webrtc"), "{program}");
    let arguments: Vec<_> = arguments.split(' ').map(|word| word.replace("%S", "/var/lib")).collect();
    parse(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    let names: Vec<_> =
        flags().iter().map(|flag| flag.get_env().unwrap().to_str().unwrap().to_owned()).collect();
    // With what the guides have operators set.
    for word in [UNIT, GUIDES[0], GUIDES[1]].concat().split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
    {
        assert!(!word.starts_with("HOLA_") || names.iter().any(|name| name == word), "{word}");
    }
}

#[test]
fn the_defaults_are_those_of_the_library() {
    let cli = parse(&[]).unwrap();
    assert_eq!(cli.sessions.limits(), Limits::default());
    assert_eq!(cli.listen.to_string(), "[::]:8443");
}

#[test]
fn every_limit_has_a_flag() {
    let arguments = [
        "--max-sessions=1",
        "--max-sessions-per-address=2",
        "--offers-per-second=3",
        "--offer-burst=4",
        "--patches-per-second=18",
        "--patch-burst=19",
        "--max-offer-bytes=5",
        "--max-offer-lines=6",
        "--max-candidates=7",
        "--body-timeout=8s",
        "--max-event-streams=9",
        "--max-channels=10",
        "--max-message-size=11",
        "--max-framed-message=20",
        "--session-buffer=12",
        "--total-buffer=13",
        "--max-resumable=21",
        "--max-resumable-per-address=22",
        "--resume-timeout=23s",
        "--resume-buffer=24",
        "--resume-buffer-per-address=25",
        "--check-timeout=14s",
        "--open-timeout=15m",
        "--silence-timeout=16s",
        "--idle-timeout=17s",
    ];
    let limits = format!("{:?}", parse(&arguments).unwrap().sessions.limits());
    let defaults = format!("{:?}", Limits::default());
    for (limit, default) in limits.split(", ").zip(defaults.split(", ")) {
        assert_ne!(limit, default);
    }
}

#[test]
fn no_limit_may_be_nought_but_where_that_stands_for_any_and_the_guides_say_so() {
    let heading = |flag: &clap::Arg| flag.get_help_heading().unwrap_or_default().to_owned();
    let limits: Vec<_> = flags().into_iter().filter(|flag| heading(flag).starts_with("Limits")).collect();
    assert!(limits.len() > 20);
    for flag in limits {
        let nought = format!("--{}=0", flag.get_long().unwrap());
        match parse(&[&nought]) {
            Ok(_) => {
                assert!(flag.get_help().unwrap().to_string().contains("; 0 for"), "{nought}");
                assert!(GUIDES.iter().all(|guide| row(guide, &flag).unwrap().contains("; `0`")), "{nought}");
            }
            Err(error) => assert!(error.to_string().contains(flag.get_long().unwrap()), "{error}"),
        }
    }
}

#[test]
fn every_flag_has_an_environment_name_after_its_own_and_a_heading() {
    Cli::command().debug_assert();
    for flag in flags() {
        let name = flag.get_long().unwrap().replace('-', "_").to_uppercase();
        assert_eq!(flag.get_env().and_then(|name| name.to_str()), Some(&*format!("HOLA_{name}")));
        assert!(flag.get_help_heading().is_some(), "{name}");
    }
}

#[test]
fn values_are_typed() {
    let cli = parse(&[
        "--listen=127.0.0.1:0",
        "--announce=192.0.2.1,2001:db8::1",
        "--announce=rtc.example.org",
        "--allow-origin=https://a.example",
        "--allow-origin=http://b.example:8080",
        "--greeting-interval=0",
        "--metrics=off",
        "--log-format=json",
    ])
    .unwrap();
    assert_eq!(cli.listen.to_string(), "127.0.0.1:0");
    assert_eq!(cli.announce.len(), 3);
    assert_eq!(cli.announce[2], Host::Name("rtc.example.org".to_owned()));
    assert_eq!(cli.signalling.allow_origin.len(), 2);
    assert_eq!(cli.operation.greeting_interval, Duration::ZERO);
    assert_eq!((cli.operation.metrics, cli.operation.log_format), (Audience::Off, LogFormat::Json));
}

#[test]
fn values_that_make_no_sense_are_refused() {
    for argument in [
        "--listen=8443",
        "--announce=example.org:8443",
        "--allow-origin=example.org",
        "--max-sessions=0",
        "--max-message-size=0",
        "--offer-burst=0",
        "--check-timeout=0s",
        "--open-timeout=soon",
        "--max-connections=0",
        "--header-timeout=0",
        "--workers=0",
        "--workers=100000",
        "--metrics=all",
        "--log-format=xml",
        "--public-url=example.org",
        "--public-url=http://node7.example.org",
        "--trusted-proxy=example.org",
        "--cert=certificate.pem",
        "--key=key.pem",
        "--log=loud=very",
    ] {
        assert!(parse(&[argument]).is_err(), "{argument}");
    }
}
