// OpenSSL 3, as installed (Debian: libssl-dev), and functions for the parts of it that are macros.
#ifndef FERRY_COPENSSL_H
#define FERRY_COPENSSL_H

#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static inline long ferry_ssl_ctx_set_min_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline long ferry_ssl_ctx_set_max_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version);
}

static inline long ferry_ssl_ctx_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}

static inline long ferry_ssl_ctx_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}

static inline void ferry_ssl_ctx_set_read_ahead(SSL_CTX *context, int on) {
    SSL_CTX_set_read_ahead(context, on);
}

static inline int ferry_err_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int ferry_err_library(unsigned long error) { return ERR_GET_LIB(error); }
static inline int ferry_err_is_system(unsigned long error) { return ERR_SYSTEM_ERROR(error); }

#endif
