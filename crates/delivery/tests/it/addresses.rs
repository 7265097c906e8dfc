//! The address guard against tables of addresses.

use std::net::IpAddr;

use cobro_delivery::address::Refused::{
    self, Inside, LinkLocal, Literal, Metadata, Multicast, Port, Reserved, Scheme, Spelling,
    TooLong,
};
use cobro_delivery::address::{
    Allowance, AllowedHost, BadAllowance, MAX_URL_BYTES, Network, Policy,
};

use crate::corpus::CORPUS;

fn live_with(networks: &[&str], hosts: &[&str], ports: &[u16]) -> Policy {
    Policy::live(Allowance {
        networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        hosts: hosts.iter().map(|text| text.parse().unwrap()).collect(),
        ports: ports.to_vec(),
    })
}

#[test]
fn every_address_of_the_corpus_gets_its_verdict() {
    assert!(CORPUS.len() >= 150, "only {} rows", CORPUS.len());
    let live = live_with(&[], &[], &[]);
    let mut wrong = Vec::new();
    for (url, sandbox_verdict, live_verdict) in CORPUS {
        let seen = (Policy::sandbox().check_url(url).err(), live.check_url(url).err());
        if seen != (*sandbox_verdict, *live_verdict) {
            wrong.push(format!("{url:?}: {seen:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn length_is_bounded_as_written_and_as_sent() {
    let of_length = |bytes: usize| format!("{:a<bytes$}", "https://shop.example/");
    let label = "a".repeat(63);
    let cases: [(String, Option<Refused>); 7] = [
        (of_length(MAX_URL_BYTES), None),
        (of_length(MAX_URL_BYTES + 1), Some(TooLong)),
        (of_length(8_192), Some(TooLong)),
        // Each `ñ` is two bytes as written and six as sent.
        (format!("https://shop.example/{}", "ñ".repeat(400)), Some(TooLong)),
        (format!("https://{label}.example/"), None),
        (format!("https://a{label}.example/"), Some(Spelling)),
        (format!("https://{label}.{label}.{label}.{label}.example/"), Some(Spelling)),
    ];
    for (url, verdict) in cases {
        for policy in [Policy::sandbox(), live_with(&[], &[], &[])] {
            assert_eq!(policy.check_url(&url).err(), verdict, "{url}");
        }
    }
}

#[test]
fn what_the_operator_allows_opens_inside_but_never_link_local_or_metadata() {
    let lan = live_with(
        &["10.0.0.0/8", "fd12::/16", "169.254.0.0/16", "::/0", "0.0.0.0/0"],
        &["erp.lan", "pos.lan:8080", "metadata.goog", "metadata"],
        &[8443],
    );
    let narrow =
        live_with(&["10.0.0.0/8"], &["erp.lan:8080", "192.168.1.5:9000", "[fd00::5]"], &[]);
    let cases: &[(&Policy, &str, Option<Refused>)] = &[
        (&lan, "http://10.1.2.3/", None),
        (&lan, "https://10.1.2.3:8443/", None),
        (&lan, "https://10.1.2.3:8444/", Some(Port)),
        (&lan, "https://[fd12::1]/", None),
        (&lan, "http://[::ffff:10.0.0.1]/", None),
        (&lan, "http://erp.lan/", None),
        (&lan, "https://ERP.lan./", None),
        (&lan, "http://erp.lan:8080/", Some(Port)),
        (&lan, "http://pos.lan:8080/", None),
        (&lan, "https://shop.example:8443/", None),
        (&lan, "http://shop.example/", Some(Scheme)),
        (&lan, "https://nas.lan/", Some(Inside)),
        (&lan, "https://sub.erp.lan/", Some(Inside)),
        (&lan, "http://169.254.169.254/", Some(LinkLocal)),
        (&lan, "http://[fe80::1]/", Some(LinkLocal)),
        (&lan, "http://[64:ff9b::a9fe:a9fe]/", Some(LinkLocal)),
        (&lan, "https://metadata.goog/", Some(Metadata)),
        (&lan, "https://metadata/", Some(Metadata)),
        (&lan, "http://[fd00:ec2::254]/", Some(Metadata)),
        (&lan, "http://224.0.0.1/", Some(Multicast)),
        (&lan, "http://0.0.0.0/", Some(Reserved)),
        (&narrow, "https://11.0.0.1/", Some(Literal)),
        (&narrow, "https://192.168.1.6/", Some(Inside)),
        (&narrow, "http://192.168.1.5:9000/", None),
        (&narrow, "http://192.168.1.5:9001/", Some(Port)),
        (&narrow, "http://[fd00::5]/", None),
        (&narrow, "http://[fd00::6]/", Some(Inside)),
        (&narrow, "http://[::ffff:11.0.0.1]/", Some(Literal)),
        (&narrow, "http://[2002:a00:1::1]/", Some(Inside)),
    ];
    for (policy, url, verdict) in cases {
        assert_eq!(policy.check_url(url).err(), *verdict, "{url}");
    }
}

#[test]
fn every_resolved_address_must_pass() {
    let live = live_with(&[], &["erp.lan"], &[]);
    let nat64 = live_with(&["64:ff9b::/96"], &[], &[]);
    let sandbox = Policy::sandbox();
    let cases: &[(&Policy, &str, &[&str], Option<Refused>)] = &[
        (&live, "shop.example", &["93.184.216.34"], None),
        (&live, "shop.example", &["93.184.216.34", "2606:4700::1"], None),
        (&live, "shop.example", &["93.184.216.34", "10.0.0.1"], Some(Inside)),
        (&live, "shop.example", &["10.0.0.1", "93.184.216.34"], Some(Inside)),
        (&live, "shop.example", &["93.184.216.34", "::1"], Some(Inside)),
        (&live, "shop.example", &["93.184.216.34", "::ffff:192.168.0.1"], Some(Inside)),
        (&live, "shop.example", &["93.184.216.34", "169.254.169.254"], Some(LinkLocal)),
        (&live, "shop.example", &["64:ff9b::5db8:d822"], Some(Inside)),
        (&live, "erp.lan", &["10.0.0.1", "192.168.0.1", "::1"], None),
        (&live, "erp.lan.", &["10.0.0.1"], None),
        (&live, "erp.lan", &["10.0.0.1", "169.254.169.254"], Some(LinkLocal)),
        (&live, "erp.lan", &["64:ff9b::a9fe:a9fe"], Some(LinkLocal)),
        (&live, "erp.lan", &["2002:a9fe:a9fe::1"], Some(LinkLocal)),
        (&live, "erp.lan", &["fd00:ec2::254"], Some(Metadata)),
        (&nat64, "shop.example", &["64:ff9b::5db8:d822"], None),
        (&nat64, "shop.example", &["64:ff9b::a00:1"], Some(Inside)),
        (&nat64, "shop.example", &["64:ff9b::a9fe:a9fe"], Some(LinkLocal)),
        (&sandbox, "localhost", &["::1", "127.0.0.1"], None),
        (&sandbox, "erp", &["172.18.0.3"], None),
        (&sandbox, "erp", &["172.18.0.3", "169.254.170.2"], Some(LinkLocal)),
        (&sandbox, "erp", &["::ffff:169.254.169.254"], Some(LinkLocal)),
        (&sandbox, "erp", &["0.0.0.0"], Some(Reserved)),
        (&sandbox, "erp", &["255.255.255.255"], Some(Multicast)),
    ];
    for (policy, host, addresses, verdict) in cases {
        let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
        assert_eq!(policy.check_resolved(host, &addresses).err(), *verdict, "{host} {addresses:?}");
        if *host != "erp.lan" && *host != "erp.lan." {
            let one_by_one = addresses.iter().find_map(|address| policy.check_ip(*address).err());
            assert_eq!(one_by_one, *verdict, "{addresses:?}");
        }
    }
}

#[test]
fn allowances_are_read_strictly() {
    let bad =
        ["", "10.0.0.0/33", "::/129", "10.0.0/8", "10.0.0.0/", "10.0.0.0/x", "/8", "lan", "::1/-1"];
    for text in bad {
        assert_eq!(text.parse::<Network>(), Err(BadAllowance::Network), "{text:?}");
    }
    let bad = [
        "",
        "a b",
        "user@erp.lan",
        "erp.lan/",
        "erp.lan/hook",
        "erp.lan?x",
        "http://erp.lan",
        "erp.lan:x",
    ];
    for text in bad {
        assert_eq!(text.parse::<AllowedHost>(), Err(BadAllowance::Host), "{text:?}");
    }
    assert_eq!("ERP.lan.:8080".parse::<AllowedHost>(), "erp.lan:8080".parse::<AllowedHost>());

    let inside = |network: &str, address: &str| {
        network.parse::<Network>().unwrap().contains(address.parse().unwrap())
    };
    let cases = [
        ("10.20.0.0/16", "10.20.255.255", true),
        ("10.20.0.0/16", "10.21.0.0", false),
        ("10.20.0.9/16", "10.20.0.1", true),
        ("10.20.0.9", "10.20.0.9", true),
        ("10.20.0.9", "10.20.0.8", false),
        ("0.0.0.0/0", "255.0.0.1", true),
        ("0.0.0.0/0", "::1", false),
        ("10.0.0.0/8", "::ffff:10.1.1.1", true),
        ("fd12::/16", "fd12:ffff::1", true),
        ("fd12::/16", "fd13::1", false),
        ("::/0", "fd13::1", true),
        ("::1", "::1", true),
    ];
    for (network, address, expected) in cases {
        assert_eq!(inside(network, address), expected, "{network} {address}");
    }
}

#[test]
fn nothing_printable_holds_a_path_or_an_address() {
    let target = Policy::sandbox().check_url("http://10.0.0.7:8080/hook?token=s3cret").unwrap();
    assert_eq!(target.origin(), "http://10.0.0.7:8080");
    assert_eq!(format!("{target:?}"), "Target(http://10.0.0.7:8080)");
    assert_eq!(target.url().as_str(), "http://10.0.0.7:8080/hook?token=s3cret");
    for (url, _, verdict) in CORPUS {
        let text = verdict.map(|reason| reason.to_string()).unwrap_or_default();
        assert!(!text.chars().any(|c| c.is_ascii_digit()), "{url}: {text}");
    }
}
