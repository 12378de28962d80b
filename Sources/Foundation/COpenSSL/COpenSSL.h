// OpenSSL 3, as installed (Debian: libssl-dev), and functions for the parts of it that are macros.
#ifndef FERRY_COPENSSL_H
#define FERRY_COPENSSL_H

#include <openssl/ssl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <string.h>

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

// A certificate's subject alternative names. The caller frees the result.
static inline GENERAL_NAMES *ferry_x509_alternative_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int ferry_names_count(const GENERAL_NAMES *names) {
    return names ? sk_GENERAL_NAME_num(names) : 0;
}

// The number of bytes of a name of the given type (GEN_URI or GEN_DNS), or -1 when it is of another type.
static inline int ferry_names_text(
    const GENERAL_NAMES *names, int index, int type, const unsigned char **bytes) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    if (!name || name->type != type) return -1;
    *bytes = ASN1_STRING_get0_data(name->d.ia5);
    return ASN1_STRING_length(name->d.ia5);
}

static inline int ferry_names_uri(const GENERAL_NAMES *names, int index, const unsigned char **bytes) {
    return ferry_names_text(names, index, GEN_URI, bytes);
}

static inline int ferry_names_dns(const GENERAL_NAMES *names, int index, const unsigned char **bytes) {
    return ferry_names_text(names, index, GEN_DNS, bytes);
}

static inline int ferry_x509_is_authority(X509 *certificate) {
    return (X509_get_extension_flags(certificate) & EXFLAG_CA) != 0;
}

// The magnitude of the serial number, big-endian.
static inline int ferry_x509_serial(const X509 *certificate, const unsigned char **bytes) {
    const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
    *bytes = ASN1_STRING_get0_data(serial);
    return ASN1_STRING_length(serial);
}

// Returns 1 and sets the time (seconds since 1970), or 0 when the certificate's time is malformed.
static inline int ferry_x509_time(const X509 *certificate, int is_end, long long *seconds) {
    struct tm parts;
    const ASN1_TIME *time =
        is_end ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate);
    if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    *seconds = timegm(&parts);
    return 1;
}

static inline int ferry_x509_set_time(X509 *certificate, int is_end, long long seconds) {
    ASN1_TIME *time = ASN1_TIME_set(NULL, (time_t)seconds);
    if (!time) return 0;
    int done = is_end ? X509_set1_notAfter(certificate, time) : X509_set1_notBefore(certificate, time);
    ASN1_TIME_free(time);
    return done;
}

static inline int ferry_x509_set_serial(X509 *certificate, const unsigned char *bytes, int count) {
    BIGNUM *number = BN_bin2bn(bytes, count, NULL);
    if (!number) return 0;
    ASN1_INTEGER *done = BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return done != NULL;
}

static inline int ferry_name_add(X509_NAME *name, const char *field, const char *text) {
    return X509_NAME_add_entry_by_txt(
        name, field, MBSTRING_UTF8, (const unsigned char *)text, -1, -1, 0);
}

// The first organization of a name as UTF-8, or NULL. The caller frees it with ferry_free.
static inline char *ferry_name_organization(const X509_NAME *name, int *count) {
    int index = X509_NAME_get_index_by_NID((X509_NAME *)name, NID_organizationName, -1);
    if (index < 0) return NULL;
    unsigned char *text = NULL;
    *count = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, index)));
    return *count < 0 ? NULL : (char *)text;
}

static inline void ferry_free(void *memory) { OPENSSL_free(memory); }

// An extension in the text form of openssl's configuration ("critical,CA:TRUE").
static inline int ferry_x509_add_extension(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    memset(&context, 0, sizeof context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    if (!extension) return 0;
    int done = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return done;
}

static inline EVP_PKEY *ferry_key_generate(void) { return EVP_EC_gen("P-256"); }

static inline int ferry_key_is_p256(const EVP_PKEY *key) {
    char group[32];
    size_t length = 0;
    return EVP_PKEY_get_group_name(key, group, sizeof group, &length) == 1
        && strcmp(group, SN_X9_62_prime256v1) == 0;
}

// An encrypted key is an error, never a question on the terminal.
static inline int ferry_no_passphrase(char *buffer, int size, int is_write, void *context) {
    (void)buffer, (void)size, (void)is_write, (void)context;
    return -1;
}

static inline EVP_PKEY *ferry_key_read(BIO *bio) {
    return PEM_read_bio_PrivateKey(bio, NULL, ferry_no_passphrase, NULL);
}

static inline X509 *ferry_x509_read(BIO *bio) {
    return PEM_read_bio_X509(bio, NULL, ferry_no_passphrase, NULL);
}

// PKCS#8, not encrypted.
static inline int ferry_key_write(BIO *bio, const EVP_PKEY *key) {
    return PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
}

static inline long ferry_bio_bytes(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

#endif
