#!/bin/bash
# Makes all that is beside it with openssl: an authority of certificates, a log of certificates, a log of signatures and a
# timestamp authority of our own, certificates of signers, and what one of them signed. Keys are made of one number each,
# so that tests can sign with them too.
#
#   make.sh          (about a second; everything is dated to now, which `time` keeps)
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
now=$(date +%s)
printf %s "$now" > time

key() { # NUMBER: an EC key on P-256 whose private part is this byte 32 times
    { printf '\x30\x31\x02\x01\x01\x04\x20'; for _ in $(seq 32); do printf "\\x$(printf %02x "$1")"; done
      printf '\xa0\x0a\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07'; } > "$work/$1.sec1"
    openssl ec -inform DER -in "$work/$1.sec1" -out "$work/$1.key" 2>/dev/null
    openssl pkey -in "$work/$1.key" -pubout -outform DER -out "$work/$1.spki"
}
for number in 11 12 13 14 15 16 17 18 19 20; do key $number; done
root=11 issuer=12 log=13 certificate_log=14 stamper=15 stamper_root=16 signer=17 other_root=18 twin=19 other_log=20

date_of() { date -u -d "@$1" +%Y%m%d%H%M%SZ; }
printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s/db\nnew_certs_dir=%s\nserial=%s/serial\nunique_subject=no\npolicy=any\ncopy_extensions=none\n[any]\ncommonName=optional\norganizationName=optional\n' \
    "$work" "$work" "$work" > "$work/ca.cnf"

certify() { # NAME SUBJECT-KEY ISSUER(- for itself) ISSUER-KEY SUBJECT FROM TO EXTENSIONS
    printf '%b' "$8" > "$work/ext"
    printf %s "${serial:-$(openssl rand -hex 8 | sed 's/^./4/')}" > "$work/serial"
    : > "$work/db"
    openssl req -new -key "$work/$2.key" -subj "$5" -out "$work/csr"
    local own=(-cert "$work/$3.crt"); [ "$3" = - ] && own=(-selfsign)
    openssl ca -batch -config "$work/ca.cnf" "${own[@]}" -keyfile "$work/$4.key" -in "$work/csr" -out "$work/$1.crt" \
        -startdate "$(date_of "$6")" -enddate "$(date_of "$7")" -md sha256 -extfile "$work/ext" -notext 2> "$work/err" || { cat "$work/err"; exit 1; }
}
year=31536000
authority='basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
certify root $root - $root /O=plimsoll-test/CN=root $((now - year)) $((now + 10 * year)) "$authority"
certify other-root $other_root - $other_root /O=plimsoll-test/CN=root $((now - year)) $((now + 10 * year)) "$authority"
between='basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign\nextendedKeyUsage=codeSigning\n'
certify issuer $issuer root $root /O=plimsoll-test/CN=issuer $((now - year)) $((now + 10 * year)) "$between"
certify twin $twin root $root /O=plimsoll-test/CN=issuer $((now - year)) $((now + 10 * year)) "$between"
certify other-issuer $other_root other-root $other_root /O=plimsoll-test/CN=issuer $((now - year)) $((now + 10 * year)) "$between"
certify stamper-root $stamper_root - $stamper_root /O=plimsoll-test/CN=stamper-root $((now - year)) $((now + 10 * year)) "$authority"
certify stamper $stamper stamper-root $stamper_root /O=plimsoll-test/CN=stamper $((now - year)) $((now + 10 * year)) \
    'keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n'

base64_of() { base64 -w0 "$@"; }
der() { openssl x509 -in "$work/$1.crt" -outform DER; }
sha256() { openssl dgst -sha256 -binary "$@"; }
bytes() { printf '%b' "$(printf "%0$((2 * $2))x" "$1" | sed 's/../\\x&/g')"; } # NUMBER WIDTH

timestamp_of() { # PRECERTIFICATE.tbs LOG-KEY LOG-NAMED ISSUER-KEY: the extension that holds a log's answer (RFC 6962)
    local ms=$((now * 1000))
    { printf '\x00\x00'; bytes $ms 8; printf '\x00\x01'; sha256 "$work/$4.spki"; bytes "$(stat -c%s "$1")" 3; cat "$1"; printf '\x00\x00'; } > "$work/sct-message"
    openssl dgst -sha256 -sign "$work/$2.key" -out "$work/sct-signature" "$work/sct-message"
    { printf '\x00'; sha256 "$work/$3.spki"; bytes $ms 8; printf '\x00\x00\x04\x03'; bytes "$(stat -c%s "$work/sct-signature")" 2; cat "$work/sct-signature"; } > "$work/sct"
    { bytes $(($(stat -c%s "$work/sct") + 2)) 2; bytes "$(stat -c%s "$work/sct")" 2; cat "$work/sct"; } > "$work/scts"
    local length; length=$(stat -c%s "$work/scts")
    { printf '\x04'; [ "$length" -lt 128 ] || printf '\x81'; bytes "$length" 1; cat "$work/scts"; } | od -An -v -tx1 | tr -d ' \n' | sed 's/../:&/g; s/^:/1.3.6.1.4.1.11129.2.4.2=DER:/'
}

leaf() { # NAME EXTENSIONS [LOG-KEY LOG-NAMED SCT-ISSUER-KEY ISSUER ISSUER-KEY FROM TO]; LOG-KEY -: no answer of a log
    local name=$1 ext="keyUsage=critical,digitalSignature\n$2\n" log_key=${3:-$certificate_log} named=${4:-$certificate_log} hashed=${5:-$issuer}
    local by=${6:-issuer} by_key=${7:-$issuer} from=${8:-$((now - 60))} to=${9:-$((now + 540))}
    local serial; serial=$(openssl rand -hex 8 | sed 's/^./4/')
    certify "$name" $signer "$by" "$by_key" / "$from" "$to" "$ext"
    if [ "$log_key" != - ]; then
        openssl x509 -in "$work/$name.crt" -outform DER | openssl asn1parse -inform DER -strparse 4 -noout -out "$work/tbs"
        [ "$name" = foreign-sct ] && printf x >> "$work/tbs"
        certify "$name" $signer "$by" "$by_key" / "$from" "$to" "$ext$(timestamp_of "$work/tbs" "$log_key" "$named" "$hashed")\n"
    fi
    cp "$work/$name.crt" "$name.crt"
}
signing='extendedKeyUsage=codeSigning\n'
newer='1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://accounts.example.org\n'
older() { printf '1.3.6.1.4.1.57264.1.1=DER%s' "$(printf %s "$1" | od -An -v -tx1 | tr -d ' \n' | sed 's/../:&/g')"; }
mail='subjectAltName=critical,email:alice@example.org\n'
leaf good "$signing$mail$newer$(older https://accounts.example.org)"
leaf uri "${signing}subjectAltName=critical,URI:https://git.example.org/shop/db/.workflow/release.yml@refs/heads/main\n$newer"
leaf user "${signing}subjectAltName=critical,otherName:1.3.6.1.4.1.57264.1.7;UTF8:alice\n$newer"
leaf older-issuer "$signing$mail$(older https://accounts.example.org)"
leaf two-issuers "$signing$mail$newer$(older https://other.example.org)"
leaf no-issuer "$signing$mail"
leaf two-names "${signing}subjectAltName=critical,email:alice@example.org,email:bob@example.org\n$newer"
leaf no-name "$signing$newer"
leaf server "extendedKeyUsage=serverAuth\n$mail$newer"
leaf no-sct "$signing$mail$newer" -
leaf other-sct "$signing$mail$newer" $other_log $certificate_log
leaf other-log "$signing$mail$newer" $other_log $other_log
leaf foreign-sct "$signing$mail$newer"
leaf twin-sct "$signing$mail$newer" $certificate_log $certificate_log $twin
leaf other-root "$signing$mail$newer" $certificate_log $certificate_log $other_root other-issuer $other_root
leaf earlier "$signing$mail$newer" $certificate_log $certificate_log $issuer issuer $issuer $((now - 7200)) $((now - 6600))
leaf critical "${signing}1.2.3.4=critical,ASN1:NULL\n$mail$newer"
leaf many-names "${signing}subjectAltName=critical,$(seq -s, -f 'email:alice%g@example.org' 1000)\n$newer"
leaf long-name "${signing}subjectAltName=critical,email:$(printf 'a%.0s' $(seq 4000))@example.org\n$newer"
leaf backwards "$signing$mail$newer" $certificate_log $certificate_log $issuer issuer $issuer $((now + 540)) $((now - 60))

chain() { local all; for name in "$@"; do all="${all:+$all,}{\"rawBytes\":\"$(der "$name" | base64_of)\"}"; done; printf '{"certificates":[%s]}' "$all"; }
since=$(date -u -d "@$((now - year))" +%Y-%m-%dT%H:%M:%SZ)
log_of() { printf '{"publicKey":{"rawBytes":"%s","validFor":{"start":"%s"}},"logId":{"keyId":"%s"}}' "$(base64_of "$work/$1.spki")" "$since" "$(sha256 "$work/$1.spki" | base64_of)"; }
printf '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1","tlogs":[%s],"certificateAuthorities":[{"certChain":%s,"validFor":{"start":"%s"}}],"ctlogs":[%s],"timestampAuthorities":[{"certChain":%s,"validFor":{"start":"%s"}}]}' \
    "$(log_of $log)" "$(chain issuer twin root)" "$since" "$(log_of $certificate_log)" "$(chain stamper stamper-root)" "$since" > trusted_root.json

sign() { openssl dgst -sha256 -sign "$work/$1.key" "$2"; } # KEY FILE
stamp() { # FILE: an answer of the timestamp authority
    printf '[tsa]\ndefault_tsa=t\n[t]\nserial=%s/ts-serial\ndefault_policy=1.2.3\ndigests=sha256\nsigner_digest=sha256\ness_cert_id_alg=sha256\n' "$work" > "$work/tsa.cnf"
    printf 01 > "$work/ts-serial"
    openssl ts -query -data "$1" -sha256 -cert -out "$work/tsq" 2>/dev/null
    openssl ts -reply -config "$work/tsa.cnf" -queryfile "$work/tsq" -signer "$work/stamper.crt" -inkey "$work/$stamper.key" -out "$work/tsr" 2>/dev/null
    cat "$work/tsr"
}
log_id=$(sha256 "$work/$log.spki" | od -An -v -tx1 | tr -d ' \n')
promise() { # BODY INDEX: what the log signs when it takes an entry
    printf '{"body":"%s","integratedTime":%d,"logID":"%s","logIndex":%d}' "$(base64_of "$1")" "$now" "$log_id" "$2" > "$work/set"
    sign $log "$work/set" | base64_of
}

# The older form: payload, signature, certificate, entry of the log, timestamp.
sign $signer ../payload.json > "$work/signature"
base64_of "$work/signature" > payload.sig
printf '{"apiVersion":"0.0.1","kind":"hashedrekord","spec":{"data":{"hash":{"algorithm":"sha256","value":"%s"}},"signature":{"content":"%s","publicKey":{"content":"%s"}}}}' \
    "$(sha256sum ../payload.json | cut -d' ' -f1)" "$(base64_of "$work/signature")" "$(base64_of good.crt)" > "$work/body"
printf '{"SignedEntryTimestamp":"%s","Payload":{"body":"%s","integratedTime":%d,"logIndex":7,"logID":"%s"}}' \
    "$(promise "$work/body" 7)" "$(base64_of "$work/body")" "$now" "$log_id" > entry.json
printf '{"SignedRFC3161Timestamp":"%s"}' "$(stamp "$work/signature" | base64_of)" > timestamp.json

# A bundle, in a log of one entry.
digest=$(sha256sum ../manifest.json | cut -d' ' -f1)
kind=application/vnd.in-toto+json
printf '{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"%s"}}],"predicateType":"https://sigstore.dev/cosign/sign/v1","predicate":{}}' "$digest" > "$work/statement"
{ printf 'DSSEv1 %d %s %d ' ${#kind} $kind "$(stat -c%s "$work/statement")"; cat "$work/statement"; } > "$work/envelope"
sign $signer "$work/envelope" > "$work/signature"
printf '{"apiVersion":"0.0.1","kind":"dsse","spec":{"payloadHash":{"algorithm":"sha256","value":"%s"},"signatures":[{"signature":"%s","verifier":"%s"}]}}' \
    "$(sha256sum "$work/statement" | cut -d' ' -f1)" "$(base64_of "$work/signature")" "$(base64_of good.crt)" > "$work/body"
tree=$({ printf '\x00'; cat "$work/body"; } | sha256 | base64_of)
printf 'log.example.org\n1\n%s\n' "$tree" > "$work/checkpoint"
{ sha256 "$work/$log.spki" | head -c4; sign $log "$work/checkpoint"; } > "$work/note"
printf '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","verificationMaterial":{"certificate":{"rawBytes":"%s"},"tlogEntries":[{"logIndex":"7","logId":{"keyId":"%s"},"kindVersion":{"kind":"dsse","version":"0.0.1"},"integratedTime":"%d","inclusionPromise":{"signedEntryTimestamp":"%s"},"inclusionProof":{"logIndex":"0","rootHash":"%s","treeSize":"1","hashes":[],"checkpoint":{"envelope":"%s\\n\\n\xe2\x80\x94 log.example.org %s\\n"}},"canonicalizedBody":"%s"}],"timestampVerificationData":{"rfc3161Timestamps":[{"signedTimestamp":"%s"}]}},"dsseEnvelope":{"payload":"%s","payloadType":"%s","signatures":[{"sig":"%s"}]}}' \
    "$(der good | base64_of)" "$(sha256 "$work/$log.spki" | base64_of)" "$now" "$(promise "$work/body" 7)" "$tree" \
    "$(awk 'NR>1{printf "\\n"}{printf "%s",$0}' "$work/checkpoint")" "$(base64_of "$work/note")" "$(base64_of "$work/body")" \
    "$(stamp "$work/signature" | base64_of)" "$(base64_of "$work/statement")" $kind "$(base64_of "$work/signature")" > bundle.json
