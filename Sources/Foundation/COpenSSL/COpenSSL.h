// OpenSSL 3, as installed (Debian: libssl-dev), and functions for the parts of it that are macros.
#ifndef FERRY_COPENSSL_H
#define FERRY_COPENSSL_H

#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline int ferry_ssl_ctx_only_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version)
        && SSL_CTX_set_max_proto_version(context, version);
}

static inline void ferry_ssl_ctx_set_mode(SSL_CTX *context, long mode) {
    SSL_CTX_set_mode(context, mode);
}

static inline void ferry_ssl_ctx_no_session_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline void ferry_ssl_ctx_no_tickets(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
}

static inline void ferry_ssl_ctx_set_read_ahead(SSL_CTX *context) {
    SSL_CTX_set_read_ahead(context, 1);
}

static inline int ferry_err_reason(unsigned long error) { return ERR_GET_REASON(error); }

// The names in a certificate's subject alternative names that are URIs. The result is the caller's.
static inline GENERAL_NAMES *ferry_x509_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int ferry_names_count(const GENERAL_NAMES *names) {
    return names ? sk_GENERAL_NAME_num(names) : 0;
}

// The number of bytes of the name's URI, or -1 when it is no URI.
static inline int ferry_names_uri(const GENERAL_NAMES *names, int index, const unsigned char **bytes) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (!name || name->type != GEN_URI) return -1;
    *bytes = ASN1_STRING_get0_data(name->d.uniformResourceIdentifier);
    return ASN1_STRING_length(name->d.uniformResourceIdentifier);
}

#endif
