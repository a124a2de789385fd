# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_plimsoll_global_optspecs
    string join \n h/help V/version
end

function __fish_plimsoll_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_plimsoll_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_plimsoll_using_subcommand
    set -l cmd (__fish_plimsoll_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c plimsoll -n "__fish_plimsoll_needs_command" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "audit" -d 'Judge this host, or a facts file, and report'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "facts" -d 'Write down the facts of this host as JSON, to be judged anywhere by `audit --facts`'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "lint" -d 'Tell how images are built: their user, secrets, set-id files, leftovers, build steps, without running or exporting them. The same rules as in an audit'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "what-if" -d 'Tell what a change to a container, or an upgrade, would open and close, before anything is restarted'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "harden" -d 'Print the tightest options that leave a container\'s observed behaviour working'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "scan" -d 'Tell which published flaws the packages of images have, without running or exporting them'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "sbom" -d 'List what is in images, as a bill of materials. Needs no advisories'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "verify" -d 'Tell who vouches for images, by the digest that runs: Docker Content Trust, cosign by keys, or Notation, verified whole'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "trust" -d 'Say which keys are trusted, and see what is known of repositories'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "connections" -d 'Tell who can connect to whom: containers, the host, and what is outside of it'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "db" -d 'Keep the advisories that `scan` and `audit` match packages with'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "explain" -d 'Tell all about one rule'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "rules" -d 'List the rules'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "schema" -d 'Print the JSON Schema of a document'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "completions" -d 'Print completions for a shell'
complete -c plimsoll -n "__fish_plimsoll_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l host -d 'Engine to ask: a socket\'s path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l root -d 'Read the host\'s files below this directory instead of /' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l facts -d 'Judge this facts file instead of looking at the host; `-` reads standard input' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l format -d 'Format of the report' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned (`plimsoll schema audit`)'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit XML, for CI'
html\t'One self-contained page'
markdown\t'For a comment or a wiki'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -s o -l output -d 'Write the report to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l policy -d 'Policy: a plimsoll.toml, or `baseline`, `strict`, `cis-docker`. Without it, ./plimsoll.toml or /etc/plimsoll/plimsoll.toml where there is one, else `baseline`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l fail-on -d 'Exit with 1 when there are findings of this severity or worse; stands above the policy\'s own `fail-on`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l db -d 'Folder of the advisories, as for `db`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l cis -d 'Show the controls of the CIS Docker Benchmark instead, in the numbering of this version' -r -f -a "1.6\t'1.6.0'
1.7\t'1.7.0'
1.8\t'1.8.0'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l stop-threads -d 'Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that waits in a call which the kernel restarts by itself'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l full -d 'Name every subject and every fact, where the terminal and Markdown reports show the first few'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l probe-syn -d 'Ask every TCP listener by a SYN from inside each container\'s network, and hold the answers against what was worked out. The kernel ends each at once: no program accepts a connection, but firewalls and logs may see the packets. Needs CAP_NET_RAW and CAP_SYS_ADMIN'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l verify -d 'Ask who vouches for every image and running container: whom the policy\'s `[[trust]]` demands, else Docker Content Trust by its pins. Asks registries and servers of signatures'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -l redact -d 'Replace names that could tell who you are, so that the report can be shared'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand audit" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -l host -d 'Engine to ask: a socket\'s path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -l root -d 'Read the host\'s files below this directory instead of /' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -l db -d 'Folder of the advisories for `--redact`, as for `db`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -s o -l output -d 'Write to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -l stop-threads -d 'Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that waits in a call which the kernel restarts by itself'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -l redact -d 'Replace names that could tell who you are. The lists of packages are left out; what is published about them, by the advisories that are there, stays'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand facts" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l platform -d 'Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine\'s architecture' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l plain-http -d 'Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, [::1])' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l host -d 'Engine that has the images, as for `audit`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l format -d 'Format of the report' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned (`plimsoll schema audit`)'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit XML, for CI'
html\t'One self-contained page'
markdown\t'For a comment or a wiki'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -s o -l output -d 'Write the report to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l policy -d 'Policy: a plimsoll.toml, or `baseline`, `strict`, `cis-docker`. Without it, ./plimsoll.toml or /etc/plimsoll/plimsoll.toml where there is one, else `baseline`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l fail-on -d 'Exit with 1 when there are findings of this severity or worse; stands above the policy\'s own `fail-on`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -l full -d 'Name every subject and every fact, where the terminal and Markdown reports show the first few'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand lint" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l host -d 'Engine to ask: a socket\'s path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l root -d 'Read the host\'s files below this directory instead of /' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l cap-drop -d 'Drop a capability; ALL drops all. As docker run\'s, and may be repeated' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l cap-add -d 'Add a capability' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l security-opt -d 'no-new-privileges, seccomp=unconfined, seccomp=builtin' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l user -d 'Run as this user, by number' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l without -d 'Leave out an option that it was made with: \'--cap-add CAP\', --device (each of them), \'--pid MODE\', --privileged, \'--security-opt seccomp=unconfined\'' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l network -d 'The network that it is in' -r -f -a "none\t'None but loopback'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l without-mount -d 'Leave out the mount at this path of the container' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l read-only-mount -d 'Mount the path of the host at this path of the container read-only' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l unpublish -d 'Do not publish this port of the container' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l upgrade -d 'Upgrade this package of the host to where its flaws are fixed, and restart what runs it' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l format -d 'Format' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -l stop-threads -d 'Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that waits in a call which the kernel restarts by itself'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand what-if" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -l host -d 'Engine to ask: a socket\'s path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -l root -d 'Read the host\'s files below this directory instead of /' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -l format -d 'Format' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -l stop-threads -d 'Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that waits in a call which the kernel restarts by itself'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand harden" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l platform -d 'Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine\'s architecture' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l plain-http -d 'Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, [::1])' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l sbom -d 'Scan what this bill of materials lists (CycloneDX or SPDX 2, JSON, with package URLs); `-` reads standard input. May be repeated' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l vex -d 'What somebody says about flaws (OpenVEX, CSAF 2.0 VEX): those that do no harm do not count. May be repeated' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l host -d 'Engine that has the images, as for `audit`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l db -d 'Folder of the advisories, as for `db`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l policy -d 'Policy whose exceptions for published flaws count, as for `audit`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l format -d 'Format of the report' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned (`plimsoll schema scan`)'
sarif\t'SARIF 2.1.0, for code scanning'
cyclonedx\t'CycloneDX 1.6 JSON: packages and flaws'
spdx\t'SPDX 2.3 JSON: packages, with flaws as security references'
html\t'One self-contained page'
markdown\t'For a comment or a wiki'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -s o -l output -d 'Write the report to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l fail-on -d 'Exit with 1 when there are flaws of this severity or worse' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l only-fixed -d 'Leave out flaws that have no fix yet'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -l full -d 'Name every flaw, where the terminal shows the first few'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand scan" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -l platform -d 'Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine\'s architecture' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -l plain-http -d 'Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, [::1])' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -l host -d 'Engine that has the images, as for `audit`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -l format -d 'Format of the bill' -r -f -a "cyclonedx\t'CycloneDX 1.6 JSON'
spdx\t'SPDX 2.3 JSON'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -s o -l output -d 'Write the bill to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand sbom" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l compose -d 'Verify the image of each service of this compose file too. May be repeated: a later file stands above the earlier ones. Variables are those of the environment, else of the file .env beside the first' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l host -d 'Engine that has the images, as for `audit`' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l plain-http -d 'Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine. The servers of trust data are always spoken to over TLS' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l policy -d 'Policy whose `[[trust]]` says who must vouch, as for `audit`. Without such, Docker Content Trust by its pins' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l key -d 'Verify cosign\'s signatures by this public key (PEM), whatever the policy says. May be repeated: what one of the keys signed is enough' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l trusted-root -d 'Verify cosign\'s signatures by certificates (keyless), without network, by this trusted_root.json of sigstore' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l certificate-identity -l identity -d 'Who must have signed, by the name in the certificate: a mail address, or the URI of a workflow' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l certificate-identity-regexp -d 'The same, as a regular expression that matches the whole name' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l certificate-oidc-issuer -l issuer -d 'Who must have identified the signer: the URL of an OpenID Connect issuer' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l trust -d 'Folder of what is trusted, as for `trust`' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l format -d 'Format of the report' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned (`plimsoll schema verify`)'
sarif\t'SARIF 2.1.0, for code scanning'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -s o -l output -d 'Write the report to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l all -d 'Verify every image of the engine, and what every running container runs from'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l trust-on-first-use -d 'Believe the first root keys that a server shows of a repository of which nothing is known, as the docker client always does. They are remembered. `plimsoll trust pin` is better'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l offline -d 'Ask no server: what was accepted before counts until it expires'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l attestations -d 'Tell also what else they signed about the image: how it was built (SLSA provenance), what is in it (SBOM), which flaws it has (VEX)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -l notation -d 'Verify Notation\'s signatures, whatever the policy says, by its own trust policy and trust store ($XDG_CONFIG_HOME/notation)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand verify" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -l trust -d 'Folder of what is trusted. Without it $PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -f -a "pin" -d 'Trust a repository by these root keys alone. Replaces those pinned before'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -f -a "list" -d 'Tell what is pinned, and what is known of repositories'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -f -a "forget" -d 'Forget the pins of a repository and what is known of it: the next verification begins anew'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and not __fish_seen_subcommand_from pin list forget help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from pin" -l trust -d 'Folder of what is trusted. Without it $PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from pin" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from pin" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from list" -l trust -d 'Folder of what is trusted. Without it $PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from forget" -l trust -d 'Folder of what is trusted. Without it $PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from forget" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from help" -f -a "pin" -d 'Trust a repository by these root keys alone. Replaces those pinned before'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from help" -f -a "list" -d 'Tell what is pinned, and what is known of repositories'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from help" -f -a "forget" -d 'Forget the pins of a repository and what is known of it: the next verification begins anew'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand trust; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l host -d 'Engine to ask: a socket\'s path, unix://PATH, tcp://HOST:PORT, ssh://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l root -d 'Read the host\'s files below this directory instead of /' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l facts -d 'Work it out from this facts file instead of looking at the host; `-` reads standard input' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l format -d 'Format of the report' -r -f -a "terminal\t'For people at a terminal'
json\t'Everything, versioned (`plimsoll schema connections`)'
html\t'One self-contained page: a matrix'"
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -s o -l output -d 'Write the report to this file (whole or not at all) instead of standard output' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l stop-threads -d 'Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds: one that waits in a call which the kernel restarts by itself'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l redact -d 'Replace names that could tell who you are'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -l full -d 'Name everybody, and show what blocks those that reach nothing, where the terminal shows who gets through'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand connections" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -l db -d 'Folder of the database. Without it $PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -f -a "update" -d 'Fetch the archives that OSV publishes, where they changed'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -f -a "import" -d 'Take advisories from files: a zip archive or a folder of OSV records, single records, CISA\'s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -f -a "status" -d 'Tell what is there, how old it is, and what is wrong with it'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and not __fish_seen_subcommand_from update import status help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from update" -l from -d 'Fetch from a mirror of OSV\'s exports instead' -r
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from update" -l db -d 'Folder of the database. Without it $PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from update" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from update" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from import" -l db -d 'Folder of the database. Without it $PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from import" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from import" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from status" -l db -d 'Folder of the database. Without it $PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others' -r -F
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "update" -d 'Fetch the archives that OSV publishes, where they changed'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "import" -d 'Take advisories from files: a zip archive or a folder of OSV records, single records, CISA\'s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "status" -d 'Tell what is there, how old it is, and what is wrong with it'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand db; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand explain" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand explain" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand rules" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand rules" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand schema" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand completions" -s h -l help -d 'Print help'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand completions" -s V -l version -d 'Print version'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "audit" -d 'Judge this host, or a facts file, and report'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "facts" -d 'Write down the facts of this host as JSON, to be judged anywhere by `audit --facts`'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "lint" -d 'Tell how images are built: their user, secrets, set-id files, leftovers, build steps, without running or exporting them. The same rules as in an audit'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "what-if" -d 'Tell what a change to a container, or an upgrade, would open and close, before anything is restarted'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "harden" -d 'Print the tightest options that leave a container\'s observed behaviour working'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "scan" -d 'Tell which published flaws the packages of images have, without running or exporting them'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "sbom" -d 'List what is in images, as a bill of materials. Needs no advisories'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "verify" -d 'Tell who vouches for images, by the digest that runs: Docker Content Trust, cosign by keys, or Notation, verified whole'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "trust" -d 'Say which keys are trusted, and see what is known of repositories'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "connections" -d 'Tell who can connect to whom: containers, the host, and what is outside of it'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "db" -d 'Keep the advisories that `scan` and `audit` match packages with'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "explain" -d 'Tell all about one rule'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "rules" -d 'List the rules'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "schema" -d 'Print the JSON Schema of a document'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "completions" -d 'Print completions for a shell'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and not __fish_seen_subcommand_from audit facts lint what-if harden scan sbom verify trust connections db explain rules schema completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from trust" -f -a "pin" -d 'Trust a repository by these root keys alone. Replaces those pinned before'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from trust" -f -a "list" -d 'Tell what is pinned, and what is known of repositories'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from trust" -f -a "forget" -d 'Forget the pins of a repository and what is known of it: the next verification begins anew'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "update" -d 'Fetch the archives that OSV publishes, where they changed'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "import" -d 'Take advisories from files: a zip archive or a folder of OSV records, single records, CISA\'s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL'
complete -c plimsoll -n "__fish_plimsoll_using_subcommand help; and __fish_seen_subcommand_from db" -f -a "status" -d 'Tell what is there, how old it is, and what is wrong with it'
