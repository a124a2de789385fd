//! Parts of the kernel that may be built in, built as a module, or left out.

/// A part of the kernel by the name that conditions call it.
pub(crate) struct Part {
    /// The condition's word.
    pub(crate) word: &'static str,
    /// Options without any of which it is not built, without `CONFIG_` (Kconfig files of Linux 6.12).
    pub(crate) options: &'static [&'static str],
    /// Modules, any of which brings it.
    pub(crate) modules: &'static [&'static str],
}

const fn part(
    word: &'static str,
    options: &'static [&'static str],
    modules: &'static [&'static str],
) -> Part {
    Part { word, options, modules }
}

const PARTS: [Part; 23] = [
    part("6pack", &["6PACK"], &["6pack"]),
    part(
        "af_alg",
        &["CRYPTO_USER_API_HASH", "CRYPTO_USER_API_SKCIPHER", "CRYPTO_USER_API_RNG", "CRYPTO_USER_API_AEAD"],
        &["af_alg"],
    ),
    part("can", &["CAN"], &["can"]),
    part("can_bcm", &["CAN_BCM"], &["can_bcm"]),
    part("cifs", &["CIFS"], &["cifs"]),
    part("dccp", &["IP_DCCP"], &["dccp", "dccp_ipv4", "dccp_ipv6"]),
    part("fuse", &["FUSE_FS"], &["fuse"]),
    part("ip_set", &["IP_SET"], &["ip_set"]),
    part("ip_tables", &["IP_NF_IPTABLES", "IP_NF_IPTABLES_LEGACY"], &["ip_tables"]),
    part("kvm", &["KVM"], &["kvm"]),
    part("ldisc", &["N_GSM", "N_HDLC"], &["n_gsm", "n_hdlc"]),
    part("nf_tables", &["NF_TABLES"], &["nf_tables"]),
    part("openvswitch", &["OPENVSWITCH"], &["openvswitch"]),
    part("overlay", &["OVERLAY_FS"], &["overlay"]),
    part("packet", &["PACKET"], &["af_packet"]),
    part("rds", &["RDS"], &["rds"]),
    part("rxrpc", &["AF_RXRPC"], &["rxrpc"]),
    part("sched", &["NET_SCHED"], &["sch_hfsc", "sch_qfq", "sch_drr", "cls_u32", "cls_route", "act_ct"]),
    part("sctp", &["IP_SCTP"], &["sctp"]),
    part("tipc", &["TIPC"], &["tipc"]),
    part("tls", &["TLS"], &["tls"]),
    part("vsock", &["VSOCKETS"], &["vsock"]),
    part("xfrm", &["XFRM_USER", "NET_KEY"], &["xfrm_user", "af_key"]),
];

/// What is known about a part; `None` where its word is not listed.
pub(crate) fn named(word: &str) -> Option<&'static Part> {
    PARTS.iter().find(|part| part.word == word)
}
