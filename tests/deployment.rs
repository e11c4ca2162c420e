//! The settings of a deployment, as its environment gives them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use kafkaman_scim::directory::Deployment;

#[test]
fn the_environment_is_checked() {
    let token = "t".repeat(32);
    let secret = |bytes: usize| BASE64.encode(vec![7; bytes]);
    let good = format!("1:{}", secret(32));
    let read = |base: &str, secrets: &str, tokens: &str| Deployment::read(base, secrets, tokens);
    let base = "https://scim.kafkaman.example";
    assert_eq!(
        read("https://a.example///", &good, &token).ok().unwrap().base_url,
        "https://a.example"
    );
    for (base, secrets, tokens, named) in [
        ("", good.clone(), token.clone(), "BASE_URL"),
        ("scim.kafkaman.example", good.clone(), token.clone(), "BASE_URL"),
        ("https://a.example/\"", good.clone(), token.clone(), "BASE_URL"),
        (base, String::new(), token.clone(), "SIGNING_SECRETS"),
        (base, secret(32), token.clone(), "SIGNING_SECRETS"),
        (base, format!("1:{}", secret(31)), token.clone(), "SIGNING_SECRETS"),
        (base, format!("0:{}", secret(32)), token.clone(), "SIGNING_SECRETS"),
        (base, format!("256:{}", secret(32)), token.clone(), "SIGNING_SECRETS"),
        (base, format!("{good},{good}"), token.clone(), "SIGNING_SECRETS"),
        (base, (1..5).map(|n| format!("{n}:{},", secret(32))).collect(), token.clone(), "SIGNING"),
        (base, good.clone(), String::new(), "OPERATOR_TOKEN"),
        (base, good.clone(), "t".repeat(31), "OPERATOR_TOKEN"),
        (base, good.clone(), format!("{token},ann:short"), "OPERATOR_TOKEN"),
    ] {
        let fault = read(base, &secrets, tokens.as_str()).err().unwrap().to_string();
        assert!(fault.contains(named), "{fault}");
        assert!(!fault.contains(&token) && !fault.contains(&secret(32)), "a secret is told");
    }
    let tokens = format!("ann:{token}1, bob:{token}2\n{token}3");
    let deployment = read(base, &good, &tokens).ok().unwrap();
    for (end, name) in [("1", Some("ann")), ("2", Some("bob")), ("3", Some("operator"))] {
        assert_eq!(deployment.operator(&format!("{token}{end}")), name);
    }
    for wrong in ["", token.as_str(), &format!("ann:{token}1")] {
        assert_eq!(deployment.operator(wrong), None, "{wrong}");
    }
}
