//! Secrets in a daemon's options (`--log-opt splunk-token=…`, proxies with passwords) are never written down.

use serde_json::Value;

use super::environment::looks_like_secret;

/// What stands in place of a secret.
const WITHHELD: &str = "(withheld)";

/// Replaces the values of arguments that look like secrets.
pub(super) fn in_arguments(args: &mut [String]) {
    for argument in args {
        // `--log-opt=splunk-token=abc`: each equals sign may end a name.
        let secret = argument.match_indices('=').map(|(at, _)| at).find(|at| {
            let (name, value) = argument.split_at(*at);
            let name = name.rsplit('=').next().unwrap_or(name);
            looks_like_secret(name, value.trim_start_matches('='))
        });
        if let Some(at) = secret {
            argument.truncate(at + 1);
            argument.push_str(WITHHELD);
        }
    }
}

/// Replaces values that look like secrets, at any depth.
pub(super) fn in_json(name: &str, value: &mut Value) {
    match value {
        Value::String(text) if looks_like_secret(name, text) => WITHHELD.clone_into(text),
        Value::Array(items) => items.iter_mut().for_each(|item| in_json(name, item)),
        Value::Object(entries) => entries.iter_mut().for_each(|(name, value)| in_json(name, value)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_left_out_and_options_stay() {
        let mut args = [
            "--log-opt=splunk-token=abc=d",
            "splunk-token=abc",
            "--http-proxy=http://u:pw@proxy:80",
            "--tlskey=/etc/docker/key.pem",
            "-H=tcp://0.0.0.0:2376",
            "--log-opt=max-size=10m",
        ]
        .map(str::to_owned);
        in_arguments(&mut args);
        let expected = [
            "--log-opt=splunk-token=(withheld)",
            "splunk-token=(withheld)",
            "--http-proxy=(withheld)",
            "--tlskey=/etc/docker/key.pem",
            "-H=tcp://0.0.0.0:2376",
            "--log-opt=max-size=10m",
        ];
        assert_eq!(args, expected);

        let mut options = json!({"log-opts": {"splunk-token": "abc", "max-size": "10m"}, "proxies": {"http-proxy": "http://u:pw@p"}});
        in_json("", &mut options);
        let expected = json!({"log-opts": {"splunk-token": "(withheld)", "max-size": "10m"}, "proxies": {"http-proxy": "(withheld)"}});
        assert_eq!(options, expected);
    }
}
