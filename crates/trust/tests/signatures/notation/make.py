#!/usr/bin/env python3
"""Makes the envelopes in made/ with openssl: signatures of Notation in JWS and COSE over ../manifest.json, by every kind of key
that its specification knows, and what it must refuse. Everything is dated to now, which `made/time` keeps; private keys
are thrown away.

    make.py
"""
import base64, hashlib, json, os, shutil, struct, subprocess, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
MADE = os.path.join(HERE, "made")
NOW = int(time.time())
YEAR = 31536000
WORK = tempfile.mkdtemp()
SCHEME, AUTHENTIC, EXPIRY = (f"io.cncf.notary.{name}" for name in ("signingScheme", "authenticSigningTime", "expiry"))
TYPE = "application/vnd.cncf.notary.payload.v1+json"


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *arguments], input=data, check=True, capture_output=True).stdout


def path(name):
    return os.path.join(WORK, name)


def write(name, data):
    with open(path(name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    return path(name)


def keep(name, data):
    with open(os.path.join(MADE, name), "wb") as file:
        file.write(data)


def key(name, kind):
    if kind.startswith("rsa"):
        options = ["-algorithm", "RSA", "-pkeyopt", f"rsa_keygen_bits:{kind[3:]}"]
    else:
        curve = {"p256": "P-256", "p384": "P-384", "p521": "P-521"}[kind]
        options = ["-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}"]
    openssl("genpkey", *options, "-out", path(name + ".key"))


def certify(name, kind, issuer, subject, extensions, start=NOW - YEAR, end=NOW + 10 * YEAR):
    key(name, kind)
    date = lambda at: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(at))
    write("ca.cnf", f"[ca]\ndefault_ca=x\n[x]\ndatabase={path('db')}\nnew_certs_dir={WORK}\nrand_serial=yes\nunique_subject=no\n"
          "policy=any\n[any]\ncountryName=optional\nstateOrProvinceName=optional\norganizationName=optional\ncommonName=optional\n")
    write("db", "")
    write("ext", extensions)
    openssl("req", "-new", "-key", path(name + ".key"), "-subj", subject, "-out", path("csr"))
    by = ["-selfsign", "-keyfile", path(name + ".key")] if issuer is None else \
        ["-cert", path(issuer + ".crt"), "-keyfile", path(issuer + ".key")]
    openssl("ca", "-batch", "-notext", "-config", path("ca.cnf"), *by, "-in", path("csr"), "-out", path(name + ".crt"),
            "-startdate", date(start), "-enddate", date(end), "-md", "sha256", "-extfile", path("ext"))


def der(name):
    return openssl("x509", "-in", path(name + ".crt"), "-outform", "DER")


# How each kind of key signs: what JWS and COSE call it, the hash, the width of r and s.
KINDS = {"p256": ("ES256", -7, "sha256", 32), "p384": ("ES384", -35, "sha384", 48), "p521": ("ES512", -36, "sha512", 66),
         "rsa2048": ("PS256", -37, "sha256", 0), "rsa3072": ("PS384", -38, "sha384", 0), "rsa4096": ("PS512", -39, "sha512", 0)}


def sign(name, kind, message):
    _, _, digest, width = KINDS[kind]
    write("message", message)
    options = [] if width else ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    made = openssl("dgst", f"-{digest}", "-sign", path(name + ".key"), *options, path("message"))
    if not width:
        return made
    at, parts = 2 + (made[1] == 0x81), b""
    for _ in range(2):
        length = made[at + 1]
        parts += made[at + 2:at + 2 + length].lstrip(b"\0").rjust(width, b"\0")
        at += 2 + length
    return parts


def head(major, number):
    for limit, code, form in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I")):
        if number < limit:
            return bytes([major << 5 | number]) if code is None else bytes([major << 5 | code]) + struct.pack(form, number)


class Tagged:
    def __init__(self, tag, value):
        self.tag, self.value = tag, value


def cbor(value):
    if isinstance(value, int):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(cbor, value))
    if isinstance(value, dict):
        return head(5, len(value)) + b"".join(cbor(k) + cbor(v) for k, v in value.items())
    return head(6, value.tag) + cbor(value.value)


def payload():
    with open(os.path.join(HERE, "..", "manifest.json"), "rb") as file:
        manifest = file.read()
    target = {"mediaType": "application/vnd.oci.image.manifest.v1+json",
              "digest": "sha256:" + hashlib.sha256(manifest).hexdigest(), "size": len(manifest)}
    return json.dumps({"targetArtifact": target}).encode()


def stamp(signature):
    write("tsa.cnf", f"[tsa]\ndefault_tsa=t\n[t]\nserial={write('serial', '01')}\ndefault_policy=1.2.3\ndigests=sha256\n"
          "signer_digest=sha256\ness_cert_id_alg=sha256\naccuracy=secs:2\n")
    openssl("ts", "-query", "-data", write("stamped", signature), "-sha256", "-cert", "-out", path("query"))
    return openssl("ts", "-reply", "-config", path("tsa.cnf"), "-queryfile", path("query"), "-signer", path("stamper.crt"),
                   "-inkey", path("stamper.key"), "-chain", path("stamper-root.crt"), "-token_out")


def cose(file, signer, kind="p256", change=None, root="root", stamped=False, tag=18, raw=None):
    protected = {1: KINDS[kind][1], 2: [SCHEME], 3: TYPE, SCHEME: "notary.x509", "io.cncf.notary.signingTime": Tagged(1, NOW)}
    if change:
        change(protected)
    protected = raw if raw is not None else cbor(protected)
    signature = sign(signer, kind, cbor(["Signature1", protected, b"", payload()]))
    unprotected = {33: [der(signer), der(root)], "io.cncf.notary.signingAgent": "openssl"}
    if stamped:
        unprotected["io.cncf.notary.timestampSignature"] = stamp(signature)
    keep(file + ".cose", cbor(Tagged(tag, [protected, unprotected, payload(), signature])))


def jws(file, signer, kind="p256", change=None, root="root", stamped=False):
    plain = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    text = lambda data: base64.b64encode(data).decode()
    protected = {"alg": KINDS[kind][0], "crit": [SCHEME], "cty": TYPE, SCHEME: "notary.x509",
                 "io.cncf.notary.signingTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW))}
    if change:
        change(protected)
    first, second = plain(json.dumps(protected).encode()), plain(payload())
    signature = sign(signer, kind, f"{first}.{second}".encode())
    header = {"x5c": [text(der(signer)), text(der(root))], "io.cncf.notary.signingAgent": "openssl"}
    if stamped:
        header["io.cncf.notary.timestampSignature"] = text(stamp(signature))
    keep(file + ".jws", json.dumps({"payload": second, "protected": first, "header": header, "signature": plain(signature)}).encode())


def main():
    shutil.rmtree(MADE, ignore_errors=True)
    os.mkdir(MADE)
    keep("time", str(NOW).encode())
    authority = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n"
    leaf = "keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n"
    stamping = "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n"
    subject = "/C=DE/ST=Berlin/O=plimsoll test/CN=image signer"
    for root in ("root", "stamper-root"):
        certify(root, "p256", None, f"/C=DE/O=plimsoll test/CN={root}", authority)
        keep(root + ".crt", open(path(root + ".crt"), "rb").read())
    certify("stamper", "p256", "stamper-root", "/C=DE/O=plimsoll test/CN=stamper", stamping)
    certify("short", "p256", "root", subject, leaf, NOW - 60, NOW + 540)
    certify("before", "p256", "root", subject, leaf, NOW - 7200, NOW - 3600)
    for kind in KINDS:
        certify(kind, kind, "root", subject, leaf)
        cose(kind, kind, kind)
        jws(kind, kind, kind)

    for write_envelope, at in ((cose, lambda seconds: Tagged(1, NOW + seconds)),
                               (jws, lambda s: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW + s)))):
        crit = 2 if write_envelope is cose else "crit"
        def expires(h): h[EXPIRY] = at(3600); h[crit].append(EXPIRY)
        def silently(h): h[EXPIRY] = at(3600)
        def vouched(h):
            del h["io.cncf.notary.signingTime"]
            h[SCHEME] = "notary.x509.signingAuthority"; h[AUTHENTIC] = at(0); h[crit].append(AUTHENTIC)
        def without_time(h): h[SCHEME] = "notary.x509.signingAuthority"
        def with_time(h): h[AUTHENTIC] = at(0); h[crit].append(AUTHENTIC)
        def other_scheme(h): h[SCHEME] = "notary.x509.other"
        def unknown(h): h["evil"] = 1; h[crit].append("evil")
        def missing(h): h[crit].append(EXPIRY)
        def no_scheme(h): h[crit].clear(); h[crit].append(EXPIRY); h[EXPIRY] = at(3600)
        def plugin(h): h["io.cncf.notary.verificationPlugin"] = "evil"
        def other_type(h): h[3 if crit == 2 else "cty"] = "text/plain"
        for change in (expires, silently, without_time, with_time, other_scheme, unknown, missing, no_scheme, plugin, other_type):
            write_envelope(change.__name__.replace("_", "-"), "p256", change=change)
        write_envelope("vouched", "short", change=vouched)
        write_envelope("stamped", "short", stamped=True)
        write_envelope("unstamped", "short")
        write_envelope("stamped-late", "before", stamped=True)

    def other_algorithm(h): h[1] = -35
    def hash_envelope(h): del h[3]; h[258] = -16
    def text_time(h): h[EXPIRY] = "2099-01-01T00:00:00Z"; h[2].append(EXPIRY)
    for change in (other_algorithm, hash_envelope, text_time):
        cose(change.__name__.replace("_", "-"), "p256", change=change)
    cose("untagged", "p256", tag=17)
    twice = {1: -7, 2: [SCHEME], 3: TYPE, SCHEME: "notary.x509"}
    cose("twice", "p256", raw=b"\xa5" + cbor(twice)[1:] + cbor(SCHEME) + cbor("notary.x509"))


if __name__ == "__main__":
    try:
        main()
    finally:
        shutil.rmtree(WORK)
