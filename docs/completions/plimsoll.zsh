#compdef plimsoll

autoload -U is-at-least

_plimsoll() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_plimsoll_commands" \
"*::: :->plimsoll" \
&& ret=0
    case $state in
    (plimsoll)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-command-$line[1]:"
        case $line[1] in
            (audit)
_arguments "${_arguments_options[@]}" : \
'*--host=[Engine to ask\: a socket'\''s path, unix\://PATH, tcp\://HOST\:PORT, ssh\://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host]:ENDPOINT:_default' \
'--root=[Read the host'\''s files below this directory instead of /]:DIR:_files' \
'(--host --root --stop-threads)--facts=[Judge this facts file instead of looking at the host; \`-\` reads standard input]:FILE:_files' \
'--format=[Format of the report]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned (\`plimsoll schema audit\`)"
sarif\:"SARIF 2.1.0, for code scanning"
junit\:"JUnit XML, for CI"
html\:"One self-contained page"
markdown\:"For a comment or a wiki"))' \
'-o+[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--policy=[Policy\: a plimsoll.toml, or \`baseline\`, \`strict\`, \`cis-docker\`. Without it, ./plimsoll.toml or /etc/plimsoll/plimsoll.toml where there is one, else \`baseline\`]:FILE|NAME:_files' \
'--fail-on=[Exit with 1 when there are findings of this severity or worse; stands above the policy'\''s own \`fail-on\`]:SEVERITY:_default' \
'--db=[Folder of the advisories, as for \`db\`]:DIR:_files' \
'--cis=[Show the controls of the CIS Docker Benchmark instead, in the numbering of this version]:VERSION:((1.6\:"1.6.0"
1.7\:"1.7.0"
1.8\:"1.8.0"))' \
'--stop-threads[Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds\: one that waits in a call which the kernel restarts by itself]' \
'--full[Name every subject and every fact, where the terminal and Markdown reports show the first few]' \
'(--facts)--probe-syn[Ask every TCP listener by a SYN from inside each container'\''s network, and hold the answers against what was worked out. The kernel ends each at once\: no program accepts a connection, but firewalls and logs may see the packets. Needs CAP_NET_RAW and CAP_SYS_ADMIN]' \
'(--facts --redact)--verify[Ask who vouches for every image and running container\: whom the policy'\''s \`\[\[trust\]\]\` demands, else Docker Content Trust by its pins. Asks registries and servers of signatures]' \
'--redact[Replace names that could tell who you are, so that the report can be shared]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(facts)
_arguments "${_arguments_options[@]}" : \
'*--host=[Engine to ask\: a socket'\''s path, unix\://PATH, tcp\://HOST\:PORT, ssh\://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host]:ENDPOINT:_default' \
'--root=[Read the host'\''s files below this directory instead of /]:DIR:_files' \
'--db=[Folder of the advisories for \`--redact\`, as for \`db\`]:DIR:_files' \
'-o+[Write to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--stop-threads[Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds\: one that waits in a call which the kernel restarts by itself]' \
'--redact[Replace names that could tell who you are. The lists of packages are left out; what is published about them, by the advisories that are there, stays]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(lint)
_arguments "${_arguments_options[@]}" : \
'--platform=[Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine'\''s architecture]:OS/ARCH:_default' \
'*--plain-http=[Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, \[\:\:1\])]:HOST[:PORT]:_default' \
'*--host=[Engine that has the images, as for \`audit\`]:ENDPOINT:_default' \
'--format=[Format of the report]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned (\`plimsoll schema audit\`)"
sarif\:"SARIF 2.1.0, for code scanning"
junit\:"JUnit XML, for CI"
html\:"One self-contained page"
markdown\:"For a comment or a wiki"))' \
'-o+[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--policy=[Policy\: a plimsoll.toml, or \`baseline\`, \`strict\`, \`cis-docker\`. Without it, ./plimsoll.toml or /etc/plimsoll/plimsoll.toml where there is one, else \`baseline\`]:FILE|NAME:_files' \
'--fail-on=[Exit with 1 when there are findings of this severity or worse; stands above the policy'\''s own \`fail-on\`]:SEVERITY:_default' \
'--full[Name every subject and every fact, where the terminal and Markdown reports show the first few]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::images -- What to judge, as for `scan`:_default' \
&& ret=0
;;
(what-if)
_arguments "${_arguments_options[@]}" : \
'*--host=[Engine to ask\: a socket'\''s path, unix\://PATH, tcp\://HOST\:PORT, ssh\://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host]:ENDPOINT:_default' \
'--root=[Read the host'\''s files below this directory instead of /]:DIR:_files' \
'*--cap-drop=[Drop a capability; ALL drops all. As docker run'\''s, and may be repeated]:CAP:_default' \
'*--cap-add=[Add a capability]:CAP:_default' \
'*--security-opt=[no-new-privileges, seccomp=unconfined, seccomp=builtin]:OPTION:_default' \
'--user=[Run as this user, by number]:UID:_default' \
'*--without=[Leave out an option that it was made with\: '\''--cap-add CAP'\'', --device (each of them), '\''--pid MODE'\'', --privileged, '\''--security-opt seccomp=unconfined'\'']:OPTION:_default' \
'--network=[The network that it is in]:NETWORK:((none\:"None but loopback"))' \
'*--without-mount=[Leave out the mount at this path of the container]:PATH:_default' \
'*--read-only-mount=[Mount the path of the host at this path of the container read-only]:PATH:_default' \
'*--unpublish=[Do not publish this port of the container]:PORT:_default' \
'*--upgrade=[Upgrade this package of the host to where its flaws are fixed, and restart what runs it]:PACKAGE:_default' \
'--format=[Format]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned"))' \
'--stop-threads[Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds\: one that waits in a call which the kernel restarts by itself]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':container -- The container, by name or the beginning of its id:_default' \
&& ret=0
;;
(harden)
_arguments "${_arguments_options[@]}" : \
'*--host=[Engine to ask\: a socket'\''s path, unix\://PATH, tcp\://HOST\:PORT, ssh\://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host]:ENDPOINT:_default' \
'--root=[Read the host'\''s files below this directory instead of /]:DIR:_files' \
'--format=[Format]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned"))' \
'--stop-threads[Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds\: one that waits in a call which the kernel restarts by itself]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':container -- The container, by name or the beginning of its id:_default' \
&& ret=0
;;
(scan)
_arguments "${_arguments_options[@]}" : \
'--platform=[Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine'\''s architecture]:OS/ARCH:_default' \
'*--plain-http=[Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, \[\:\:1\])]:HOST[:PORT]:_default' \
'*--sbom=[Scan what this bill of materials lists (CycloneDX or SPDX 2, JSON, with package URLs); \`-\` reads standard input. May be repeated]:FILE:_files' \
'*--vex=[What somebody says about flaws (OpenVEX, CSAF 2.0 VEX)\: those that do no harm do not count. May be repeated]:FILE:_files' \
'*--host=[Engine that has the images, as for \`audit\`]:ENDPOINT:_default' \
'--db=[Folder of the advisories, as for \`db\`]:DIR:_files' \
'--policy=[Policy whose exceptions for published flaws count, as for \`audit\`]:FILE|NAME:_files' \
'--format=[Format of the report]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned (\`plimsoll schema scan\`)"
sarif\:"SARIF 2.1.0, for code scanning"
cyclonedx\:"CycloneDX 1.6 JSON\: packages and flaws"
spdx\:"SPDX 2.3 JSON\: packages, with flaws as security references"
html\:"One self-contained page"
markdown\:"For a comment or a wiki"))' \
'-o+[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--fail-on=[Exit with 1 when there are flaws of this severity or worse]:SEVERITY:_default' \
'--only-fixed[Leave out flaws that have no fix yet]' \
'--full[Name every flaw, where the terminal shows the first few]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::images -- What to scan\: an image of the engine by name or id, registry\:NAME\:TAG or registry\:NAME@DIGEST, docker-archive\:PATH, oci\:PATH, dir\:PATH, or a path:_default' \
&& ret=0
;;
(sbom)
_arguments "${_arguments_options[@]}" : \
'--platform=[Of an image of a registry that is there for several platforms, take this one, such as linux/arm64. Without it, linux on this machine'\''s architecture]:OS/ARCH:_default' \
'*--plain-http=[Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine (localhost, 127.0.0.0/8, \[\:\:1\])]:HOST[:PORT]:_default' \
'*--host=[Engine that has the images, as for \`audit\`]:ENDPOINT:_default' \
'--format=[Format of the bill]:FORMAT:((cyclonedx\:"CycloneDX 1.6 JSON"
spdx\:"SPDX 2.3 JSON"))' \
'-o+[Write the bill to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the bill to this file (whole or not at all) instead of standard output]:FILE:_files' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::images -- What to list, as for `scan`:_default' \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
'*--compose=[Verify the image of each service of this compose file too. May be repeated\: a later file stands above the earlier ones. Variables are those of the environment, else of the file .env beside the first]:FILE:_files' \
'*--host=[Engine that has the images, as for \`audit\`]:ENDPOINT:_default' \
'*--plain-http=[Speak to this registry in plain HTTP. May be repeated. Without it only to those on this machine. The servers of trust data are always spoken to over TLS]:HOST[:PORT]:_default' \
'(--key --trusted-root --notation)--policy=[Policy whose \`\[\[trust\]\]\` says who must vouch, as for \`audit\`. Without such, Docker Content Trust by its pins]:FILE|NAME:_files' \
'(--trust-on-first-use --offline --trust)*--key=[Verify cosign'\''s signatures by this public key (PEM), whatever the policy says. May be repeated\: what one of the keys signed is enough]:FILE:_files' \
'(--trust-on-first-use --offline --trust)--trusted-root=[Verify cosign'\''s signatures by certificates (keyless), without network, by this trusted_root.json of sigstore]:FILE:_files' \
'--certificate-identity=[Who must have signed, by the name in the certificate\: a mail address, or the URI of a workflow]:NAME:_default' \
'--identity=[Who must have signed, by the name in the certificate\: a mail address, or the URI of a workflow]:NAME:_default' \
'--certificate-identity-regexp=[The same, as a regular expression that matches the whole name]:REGEXP:_default' \
'--certificate-oidc-issuer=[Who must have identified the signer\: the URL of an OpenID Connect issuer]:URL:_default' \
'--issuer=[Who must have identified the signer\: the URL of an OpenID Connect issuer]:URL:_default' \
'--trust=[Folder of what is trusted, as for \`trust\`]:DIR:_files' \
'--format=[Format of the report]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned (\`plimsoll schema verify\`)"
sarif\:"SARIF 2.1.0, for code scanning"))' \
'-o+[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'(--compose)--all[Verify every image of the engine, and what every running container runs from]' \
'--trust-on-first-use[Believe the first root keys that a server shows of a repository of which nothing is known, as the docker client always does. They are remembered. \`plimsoll trust pin\` is better]' \
'--offline[Ask no server\: what was accepted before counts until it expires]' \
'--attestations[Tell also what else they signed about the image\: how it was built (SLSA provenance), what is in it (SBOM), which flaws it has (VEX)]' \
'(--key --trusted-root --trust-on-first-use --offline --trust)--notation[Verify Notation'\''s signatures, whatever the policy says, by its own trust policy and trust store (\$XDG_CONFIG_HOME/notation)]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'*::images -- What to verify\: an image by name, digest or id, as it is on this host, else as its registry has it; registry\:NAME, as the registry has it; container\:NAME, what it runs from:_default' \
&& ret=0
;;
(trust)
_arguments "${_arguments_options[@]}" : \
'--trust=[Folder of what is trusted. Without it \$PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_plimsoll__subcmd__trust_commands" \
"*::: :->trust" \
&& ret=0

    case $state in
    (trust)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-trust-command-$line[1]:"
        case $line[1] in
            (pin)
_arguments "${_arguments_options[@]}" : \
'--trust=[Folder of what is trusted. Without it \$PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
':repository -- The repository, such as docker.io/library/alpine:_default' \
'*::keys -- Ids of root keys, 64 hexadecimal digits each:_default' \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
'--trust=[Folder of what is trusted. Without it \$PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(forget)
_arguments "${_arguments_options[@]}" : \
'--trust=[Folder of what is trusted. Without it \$PLIMSOLL_TRUST, else /var/lib/plimsoll/trust for root and ~/.local/share/plimsoll/trust for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
':repository -- The repository:_default' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_plimsoll__subcmd__trust__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-trust-help-command-$line[1]:"
        case $line[1] in
            (pin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(connections)
_arguments "${_arguments_options[@]}" : \
'*--host=[Engine to ask\: a socket'\''s path, unix\://PATH, tcp\://HOST\:PORT, ssh\://USER@HOST. May be repeated. Without it, DOCKER_HOST and the docker context decide, then the sockets that are found on this host]:ENDPOINT:_default' \
'--root=[Read the host'\''s files below this directory instead of /]:DIR:_files' \
'(--host --root)--facts=[Work it out from this facts file instead of looking at the host; \`-\` reads standard input]:FILE:_files' \
'--format=[Format of the report]:FORMAT:((terminal\:"For people at a terminal"
json\:"Everything, versioned (\`plimsoll schema connections\`)"
html\:"One self-contained page\: a matrix"))' \
'-o+[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--output=[Write the report to this file (whole or not at all) instead of standard output]:FILE:_files' \
'--stop-threads[Where a seccomp filter can be read in no other way, stop a thread of the process for some microseconds\: one that waits in a call which the kernel restarts by itself]' \
'--redact[Replace names that could tell who you are]' \
'--full[Name everybody, and show what blocks those that reach nothing, where the terminal shows who gets through]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(db)
_arguments "${_arguments_options[@]}" : \
'--db=[Folder of the database. Without it \$PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_plimsoll__subcmd__db_commands" \
"*::: :->db" \
&& ret=0

    case $state in
    (db)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-db-command-$line[1]:"
        case $line[1] in
            (update)
_arguments "${_arguments_options[@]}" : \
'--from=[Fetch from a mirror of OSV'\''s exports instead]:URL:_default' \
'--db=[Folder of the database. Without it \$PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
'*::ecosystems -- Ecosystems, as OSV calls them (`Debian`, `Rocky Linux`, `Go`); without any, all that plimsoll matches:_default' \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
'--db=[Folder of the database. Without it \$PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
'*::sources -- What to import:_files' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--db=[Folder of the database. Without it \$PLIMSOLL_DB, else /var/lib/plimsoll/advisories for root and ~/.local/share/plimsoll/advisories for others]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_plimsoll__subcmd__db__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-db-help-command-$line[1]:"
        case $line[1] in
            (update)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(explain)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
':rule -- The rule'\''s id, or a control of the CIS Docker Benchmark 1.8 (`5.31`):_default' \
&& ret=0
;;
(rules)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(schema)
_arguments "${_arguments_options[@]}" : \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
':document -- Which document:((facts\:"\`plimsoll facts\`"
audit\:"\`plimsoll audit --format json\`"
scan\:"\`plimsoll scan --format json\`"
verify\:"\`plimsoll verify --format json\`"
connections\:"\`plimsoll connections --format json\`"
policy\:"\`plimsoll.toml\`"))' \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
':shell -- Which shell:(bash elvish fish powershell zsh)' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_plimsoll__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-help-command-$line[1]:"
        case $line[1] in
            (audit)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(facts)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(lint)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(what-if)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(harden)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(scan)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(sbom)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(verify)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(trust)
_arguments "${_arguments_options[@]}" : \
":: :_plimsoll__subcmd__help__subcmd__trust_commands" \
"*::: :->trust" \
&& ret=0

    case $state in
    (trust)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-help-trust-command-$line[1]:"
        case $line[1] in
            (pin)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(list)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(forget)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(connections)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(db)
_arguments "${_arguments_options[@]}" : \
":: :_plimsoll__subcmd__help__subcmd__db_commands" \
"*::: :->db" \
&& ret=0

    case $state in
    (db)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:plimsoll-help-db-command-$line[1]:"
        case $line[1] in
            (update)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(import)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(explain)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(rules)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(schema)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(completions)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_plimsoll_commands] )) ||
_plimsoll_commands() {
    local commands; commands=(
'audit:Judge this host, or a facts file, and report' \
'facts:Write down the facts of this host as JSON, to be judged anywhere by \`audit --facts\`' \
'lint:Tell how images are built\: their user, secrets, set-id files, leftovers, build steps, without running or exporting them. The same rules as in an audit' \
'what-if:Tell what a change to a container, or an upgrade, would open and close, before anything is restarted' \
'harden:Print the tightest options that leave a container'\''s observed behaviour working' \
'scan:Tell which published flaws the packages of images have, without running or exporting them' \
'sbom:List what is in images, as a bill of materials. Needs no advisories' \
'verify:Tell who vouches for images, by the digest that runs\: Docker Content Trust, cosign by keys, or Notation, verified whole' \
'trust:Say which keys are trusted, and see what is known of repositories' \
'connections:Tell who can connect to whom\: containers, the host, and what is outside of it' \
'db:Keep the advisories that \`scan\` and \`audit\` match packages with' \
'explain:Tell all about one rule' \
'rules:List the rules' \
'schema:Print the JSON Schema of a document' \
'completions:Print completions for a shell' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__audit_commands] )) ||
_plimsoll__subcmd__audit_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll audit commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__completions_commands] )) ||
_plimsoll__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll completions commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__connections_commands] )) ||
_plimsoll__subcmd__connections_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll connections commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db_commands] )) ||
_plimsoll__subcmd__db_commands() {
    local commands; commands=(
'update:Fetch the archives that OSV publishes, where they changed' \
'import:Take advisories from files\: a zip archive or a folder of OSV records, single records, CISA'\''s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL' \
'status:Tell what is there, how old it is, and what is wrong with it' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll db commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__help_commands] )) ||
_plimsoll__subcmd__db__subcmd__help_commands() {
    local commands; commands=(
'update:Fetch the archives that OSV publishes, where they changed' \
'import:Take advisories from files\: a zip archive or a folder of OSV records, single records, CISA'\''s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL' \
'status:Tell what is there, how old it is, and what is wrong with it' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll db help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__help__subcmd__help_commands] )) ||
_plimsoll__subcmd__db__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db help help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__help__subcmd__import_commands] )) ||
_plimsoll__subcmd__db__subcmd__help__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db help import commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__help__subcmd__status_commands] )) ||
_plimsoll__subcmd__db__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db help status commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__help__subcmd__update_commands] )) ||
_plimsoll__subcmd__db__subcmd__help__subcmd__update_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db help update commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__import_commands] )) ||
_plimsoll__subcmd__db__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db import commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__status_commands] )) ||
_plimsoll__subcmd__db__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db status commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__db__subcmd__update_commands] )) ||
_plimsoll__subcmd__db__subcmd__update_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll db update commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__explain_commands] )) ||
_plimsoll__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll explain commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__facts_commands] )) ||
_plimsoll__subcmd__facts_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll facts commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__harden_commands] )) ||
_plimsoll__subcmd__harden_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll harden commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help_commands] )) ||
_plimsoll__subcmd__help_commands() {
    local commands; commands=(
'audit:Judge this host, or a facts file, and report' \
'facts:Write down the facts of this host as JSON, to be judged anywhere by \`audit --facts\`' \
'lint:Tell how images are built\: their user, secrets, set-id files, leftovers, build steps, without running or exporting them. The same rules as in an audit' \
'what-if:Tell what a change to a container, or an upgrade, would open and close, before anything is restarted' \
'harden:Print the tightest options that leave a container'\''s observed behaviour working' \
'scan:Tell which published flaws the packages of images have, without running or exporting them' \
'sbom:List what is in images, as a bill of materials. Needs no advisories' \
'verify:Tell who vouches for images, by the digest that runs\: Docker Content Trust, cosign by keys, or Notation, verified whole' \
'trust:Say which keys are trusted, and see what is known of repositories' \
'connections:Tell who can connect to whom\: containers, the host, and what is outside of it' \
'db:Keep the advisories that \`scan\` and \`audit\` match packages with' \
'explain:Tell all about one rule' \
'rules:List the rules' \
'schema:Print the JSON Schema of a document' \
'completions:Print completions for a shell' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__audit_commands] )) ||
_plimsoll__subcmd__help__subcmd__audit_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help audit commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__completions_commands] )) ||
_plimsoll__subcmd__help__subcmd__completions_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help completions commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__connections_commands] )) ||
_plimsoll__subcmd__help__subcmd__connections_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help connections commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__db_commands] )) ||
_plimsoll__subcmd__help__subcmd__db_commands() {
    local commands; commands=(
'update:Fetch the archives that OSV publishes, where they changed' \
'import:Take advisories from files\: a zip archive or a folder of OSV records, single records, CISA'\''s catalogue (KEV), EPSS scores. Needs no network, unless a source is a URL' \
'status:Tell what is there, how old it is, and what is wrong with it' \
    )
    _describe -t commands 'plimsoll help db commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__db__subcmd__import_commands] )) ||
_plimsoll__subcmd__help__subcmd__db__subcmd__import_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help db import commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__db__subcmd__status_commands] )) ||
_plimsoll__subcmd__help__subcmd__db__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help db status commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__db__subcmd__update_commands] )) ||
_plimsoll__subcmd__help__subcmd__db__subcmd__update_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help db update commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__explain_commands] )) ||
_plimsoll__subcmd__help__subcmd__explain_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help explain commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__facts_commands] )) ||
_plimsoll__subcmd__help__subcmd__facts_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help facts commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__harden_commands] )) ||
_plimsoll__subcmd__help__subcmd__harden_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help harden commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__help_commands] )) ||
_plimsoll__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__lint_commands] )) ||
_plimsoll__subcmd__help__subcmd__lint_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help lint commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__rules_commands] )) ||
_plimsoll__subcmd__help__subcmd__rules_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help rules commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__sbom_commands] )) ||
_plimsoll__subcmd__help__subcmd__sbom_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help sbom commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__scan_commands] )) ||
_plimsoll__subcmd__help__subcmd__scan_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help scan commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__schema_commands] )) ||
_plimsoll__subcmd__help__subcmd__schema_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help schema commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__trust_commands] )) ||
_plimsoll__subcmd__help__subcmd__trust_commands() {
    local commands; commands=(
'pin:Trust a repository by these root keys alone. Replaces those pinned before' \
'list:Tell what is pinned, and what is known of repositories' \
'forget:Forget the pins of a repository and what is known of it\: the next verification begins anew' \
    )
    _describe -t commands 'plimsoll help trust commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__trust__subcmd__forget_commands] )) ||
_plimsoll__subcmd__help__subcmd__trust__subcmd__forget_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help trust forget commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__trust__subcmd__list_commands] )) ||
_plimsoll__subcmd__help__subcmd__trust__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help trust list commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__trust__subcmd__pin_commands] )) ||
_plimsoll__subcmd__help__subcmd__trust__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help trust pin commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__verify_commands] )) ||
_plimsoll__subcmd__help__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help verify commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__help__subcmd__what-if_commands] )) ||
_plimsoll__subcmd__help__subcmd__what-if_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll help what-if commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__lint_commands] )) ||
_plimsoll__subcmd__lint_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll lint commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__rules_commands] )) ||
_plimsoll__subcmd__rules_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll rules commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__sbom_commands] )) ||
_plimsoll__subcmd__sbom_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll sbom commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__scan_commands] )) ||
_plimsoll__subcmd__scan_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll scan commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__schema_commands] )) ||
_plimsoll__subcmd__schema_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll schema commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust_commands] )) ||
_plimsoll__subcmd__trust_commands() {
    local commands; commands=(
'pin:Trust a repository by these root keys alone. Replaces those pinned before' \
'list:Tell what is pinned, and what is known of repositories' \
'forget:Forget the pins of a repository and what is known of it\: the next verification begins anew' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll trust commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__forget_commands] )) ||
_plimsoll__subcmd__trust__subcmd__forget_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust forget commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__help_commands] )) ||
_plimsoll__subcmd__trust__subcmd__help_commands() {
    local commands; commands=(
'pin:Trust a repository by these root keys alone. Replaces those pinned before' \
'list:Tell what is pinned, and what is known of repositories' \
'forget:Forget the pins of a repository and what is known of it\: the next verification begins anew' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'plimsoll trust help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__help__subcmd__forget_commands] )) ||
_plimsoll__subcmd__trust__subcmd__help__subcmd__forget_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust help forget commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__help__subcmd__help_commands] )) ||
_plimsoll__subcmd__trust__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust help help commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__help__subcmd__list_commands] )) ||
_plimsoll__subcmd__trust__subcmd__help__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust help list commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__help__subcmd__pin_commands] )) ||
_plimsoll__subcmd__trust__subcmd__help__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust help pin commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__list_commands] )) ||
_plimsoll__subcmd__trust__subcmd__list_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust list commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__trust__subcmd__pin_commands] )) ||
_plimsoll__subcmd__trust__subcmd__pin_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll trust pin commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__verify_commands] )) ||
_plimsoll__subcmd__verify_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll verify commands' commands "$@"
}
(( $+functions[_plimsoll__subcmd__what-if_commands] )) ||
_plimsoll__subcmd__what-if_commands() {
    local commands; commands=()
    _describe -t commands 'plimsoll what-if commands' commands "$@"
}

if [ "$funcstack[1]" = "_plimsoll" ]; then
    _plimsoll "$@"
else
    compdef _plimsoll plimsoll
fi
