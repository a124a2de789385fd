//! Files and sockets through which somebody else could take the engine over: who owns them, who may write or read them.

mod access;

crate::rules! {
    engine_file_owned_by_others,
    engine_file_writable_by_others,
    certificate_owned_by_others,
    certificate_writable,
    tls_key_readable_by_others,
    engine_socket_owned_by_others,
    engine_socket_open_to_others,
    containerd_socket_owned_by_others,
    containerd_socket_open_to_others,
    engine_program_replaceable,
    data_root_open_to_others,
}
