#include "common/tls/cert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/base/assert.h"

enum { ROOT_LIFE_S = 10 * 365 * 24 * 3600 };

void cu_secret_free(char *text)
{
    if (!text)
        return;
    OPENSSL_cleanse(text, strlen(text));
    free(text);
}

/* OpenSSL's last words, as the sentence's end. */
static enum cu_err failed(struct cu_diag *diag, enum cu_err err, const char *what)
{
    char why[256] = "";
    unsigned long code = ERR_get_error();
    if (code)
        ERR_error_string_n(code, why, sizeof why);
    ERR_clear_error();
    return cu_fail(diag, err, "%s%s%s", what, *why ? ": " : "", why);
}

/* ---- PEM ---- */

static char *text_of(BIO *bio)
{
    char *data, *text;
    long len = BIO_get_mem_data(bio, &data);
    CU_ASSERT(len > 0);
    text = cu_alloc((size_t)len + 1);
    memcpy(text, data, (size_t)len);
    return text;
}

/* Of our own making: writing to memory does not fail. */
static BIO *memory(void)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    CU_ASSERT(bio);
    return bio;
}

static BIO *reader(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, (int)strnlen(pem, CU_PEM_BYTES_MAX + 1));
    CU_ASSERT(bio);
    return bio;
}

static EVP_PKEY *read_key(const char *pem, struct cu_diag *diag)
{
    BIO *bio = reader(pem);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!key)
        (void)failed(diag, CU_E_INVALID, "the private key does not parse");
    return key;
}

static X509 *read_cert(const char *pem, struct cu_diag *diag)
{
    BIO *bio = reader(pem);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!cert)
        (void)failed(diag, CU_E_INVALID, "the certificate does not parse");
    return cert;
}

static X509_REQ *read_csr(const char *pem, struct cu_diag *diag)
{
    BIO *bio = reader(pem);
    X509_REQ *csr = PEM_read_bio_X509_REQ(bio, NULL, NULL, NULL);
    BIO_free(bio);
    if (!csr) {
        (void)failed(diag, CU_E_INVALID, "the certificate request does not parse");
        return NULL;
    }
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);
    if (!key || X509_REQ_verify(csr, key) != 1) {
        (void)failed(diag, CU_E_INVALID, "the certificate request is not signed by its own key");
        X509_REQ_free(csr);
        return NULL;
    }
    return csr;
}

char *cu_key_new(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    BIO *bio = memory();
    CU_ASSERT(key);
    int good = PEM_write_bio_PrivateKey_traditional(bio, key, NULL, NULL, 0, NULL, NULL);
    CU_ASSERT(good == 1);
    char *text = text_of(bio);
    BIO_free(bio);
    EVP_PKEY_free(key);
    return text;
}

static char *cert_text(X509 *cert)
{
    BIO *bio = memory();
    int good = PEM_write_bio_X509(bio, cert);
    CU_ASSERT(good == 1);
    char *text = text_of(bio);
    BIO_free(bio);
    return text;
}

/* ---- names and extensions ---- */

static X509_NAME *name_of(const char *common_name)
{
    X509_NAME *name = X509_NAME_new();
    CU_ASSERT(name);
    int good = X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                          (const unsigned char *)common_name, -1, -1, 0);
    CU_ASSERT(good == 1);
    return name;
}

/* One URI, not through OpenSSL's text syntax: a comma in it would end it there. */
static GENERAL_NAMES *uri_names(const char *uri)
{
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_IA5STRING *text = ASN1_IA5STRING_new();
    CU_ASSERT(names && name && text);
    int good = ASN1_STRING_set(text, uri, -1);
    CU_ASSERT(good == 1);
    GENERAL_NAME_set0_value(name, GEN_URI, text);
    good = sk_GENERAL_NAME_push(names, name);
    CU_ASSERT(good > 0);
    return names;
}

static void add_text_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    CU_ASSERT(extension); /* the texts are ours */
    int good = X509_add_ext(cert, extension, -1);
    CU_ASSERT(good == 1);
    X509_EXTENSION_free(extension);
}

/* SHA-256 of the DER SubjectPublicKeyInfo. */
static void key_id_of(EVP_PKEY *key, unsigned char id[CU_KEY_ID_BYTES])
{
    unsigned char *der = NULL;
    unsigned len = 0;
    int der_len = i2d_PUBKEY(key, &der);
    CU_ASSERT(der_len > 0);
    int good = EVP_Digest(der, (size_t)der_len, id, &len, EVP_sha256(), NULL);
    CU_ASSERT(good == 1 && len == CU_KEY_ID_BYTES);
    OPENSSL_free(der);
}

static void add_key_ids(X509 *cert, EVP_PKEY *own, EVP_PKEY *issuer)
{
    unsigned char id[CU_KEY_ID_BYTES];
    ASN1_OCTET_STRING *subject = ASN1_OCTET_STRING_new();
    AUTHORITY_KEYID *authority = AUTHORITY_KEYID_new();
    CU_ASSERT(subject && authority);
    key_id_of(own, id);
    int good = ASN1_OCTET_STRING_set(subject, id, sizeof id);
    good = good == 1 && X509_add1_ext_i2d(cert, NID_subject_key_identifier, subject, 0, 0) == 1;
    key_id_of(issuer, id);
    authority->keyid = ASN1_OCTET_STRING_new();
    CU_ASSERT(authority->keyid);
    good = good && ASN1_OCTET_STRING_set(authority->keyid, id, sizeof id) == 1;
    good = good && X509_add1_ext_i2d(cert, NID_authority_key_identifier, authority, 0, 0) == 1;
    CU_ASSERT(good);
    ASN1_OCTET_STRING_free(subject);
    AUTHORITY_KEYID_free(authority);
}

static X509 *new_cert(uint64_t serial, struct cu_validity validity, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    CU_ASSERT(cert);
    int good = X509_set_version(cert, X509_VERSION_3) == 1 &&
               ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert), serial) == 1 &&
               ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)validity.not_before_s) &&
               ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)validity.not_after_s) &&
               X509_set_pubkey(cert, key) == 1;
    CU_ASSERT(good);
    return cert;
}

/* ---- requests ---- */

enum cu_err cu_csr_new(const char *key_pem, const char *uri, const char *common_name,
                       char **ret_csr_pem, struct cu_diag *diag)
{
    EVP_PKEY *key = read_key(key_pem, diag);
    if (!key)
        return CU_E_INVALID;
    X509_REQ *csr = X509_REQ_new();
    X509_NAME *name = name_of(common_name);
    GENERAL_NAMES *names = uri_names(uri);
    STACK_OF(X509_EXTENSION) *extensions = NULL;
    CU_ASSERT(csr);
    int good = X509_REQ_set_subject_name(csr, name) == 1 && X509_REQ_set_pubkey(csr, key) == 1 &&
               X509V3_add1_i2d(&extensions, NID_subject_alt_name, names, 0, 0) == 1 &&
               X509_REQ_add_extensions(csr, extensions) == 1 &&
               X509_REQ_sign(csr, key, EVP_sha256()) > 0;
    CU_ASSERT(good);
    BIO *bio = memory();
    good = PEM_write_bio_X509_REQ(bio, csr);
    CU_ASSERT(good == 1);
    *ret_csr_pem = text_of(bio);
    BIO_free(bio);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    GENERAL_NAMES_free(names);
    X509_NAME_free(name);
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    return CU_OK;
}

/* The first URI among the names; false: there is none, or one with a NUL or too long. */
static bool first_uri(const GENERAL_NAMES *names, char uri[CU_SPIFFE_URI_BYTES])
{
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type != GEN_URI)
            continue;
        const ASN1_IA5STRING *text = name->d.uniformResourceIdentifier;
        int len = ASN1_STRING_length(text);
        const unsigned char *data = ASN1_STRING_get0_data(text);
        if (len < 0 || len >= CU_SPIFFE_URI_BYTES || memchr(data, '\0', (size_t)len))
            return false;
        memcpy(uri, data, (size_t)len);
        uri[len] = '\0';
        return true;
    }
    return false;
}

static GENERAL_NAMES *names_of_csr(X509_REQ *csr)
{
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    return names;
}

static enum cu_err check_size(const char *pem, struct cu_diag *diag)
{
    return strnlen(pem, CU_PEM_BYTES_MAX + 1) > CU_PEM_BYTES_MAX
               ? cu_fail(diag, CU_E_TOO_LARGE, "a certificate request is longer than %d bytes",
                         CU_PEM_BYTES_MAX)
               : CU_OK;
}

static bool fits(char part[CU_SPIFFE_PART_BYTES], const char *text)
{
    int len = snprintf(part, CU_SPIFFE_PART_BYTES, "%s", text);
    return len >= 0 && len < CU_SPIFFE_PART_BYTES;
}

enum cu_err cu_service_csr_new(const char *trust_domain, const char *datacenter,
                               const char *service, char **ret_key_pem, char **ret_csr_pem,
                               struct cu_diag *diag)
{
    struct cu_spiffe id = {.kind = CU_SPIFFE_SERVICE, .ns = "default"};
    char uri[CU_SPIFFE_URI_BYTES], name[CU_COMMON_NAME_BYTES];
    if (!fits(id.host, trust_domain) || !fits(id.datacenter, datacenter) ||
        !fits(id.name, service) || cu_spiffe_format(&id, uri))
        return cu_fail(diag, CU_E_INVALID, "the name is too long for a certificate");
    cu_spiffe_common_name(&id, name);
    char *key = cu_key_new();
    enum cu_err err = cu_csr_new(key, uri, name, ret_csr_pem, diag);
    if (err)
        cu_secret_free(key);
    else
        *ret_key_pem = key;
    return err;
}

enum cu_err cu_csr_uri(const char *csr_pem, char uri[CU_SPIFFE_URI_BYTES], struct cu_diag *diag)
{
    enum cu_err err = check_size(csr_pem, diag);
    X509_REQ *csr = err ? NULL : read_csr(csr_pem, diag);
    if (!csr)
        return err ? err : CU_E_INVALID;
    GENERAL_NAMES *names = names_of_csr(csr);
    if (!names || !first_uri(names, uri))
        err = cu_fail(diag, CU_E_INVALID, "the certificate request names no URI");
    GENERAL_NAMES_free(names);
    X509_REQ_free(csr);
    ERR_clear_error();
    return err;
}

/* ---- certificates ---- */

enum cu_err cu_root_new(const char *key_pem, const char *common_name, const char *uri,
                        uint64_t serial, int64_t now_s, char **ret_cert_pem, struct cu_diag *diag)
{
    EVP_PKEY *key = read_key(key_pem, diag);
    if (!key)
        return CU_E_INVALID;
    X509 *cert = new_cert(serial, (struct cu_validity){now_s, now_s + ROOT_LIFE_S}, key);
    X509_NAME *name = name_of(common_name);
    GENERAL_NAMES *names = uri_names(uri);
    int good = X509_set_subject_name(cert, name) == 1 && X509_set_issuer_name(cert, name) == 1 &&
               X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    CU_ASSERT(good);
    add_text_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_text_extension(cert, NID_key_usage, "critical,digitalSignature,keyCertSign,cRLSign");
    add_key_ids(cert, key, key);
    good = X509_sign(cert, key, EVP_sha256()) > 0;
    CU_ASSERT(good);
    *ret_cert_pem = cert_text(cert);
    GENERAL_NAMES_free(names);
    X509_NAME_free(name);
    X509_free(cert);
    EVP_PKEY_free(key);
    return CU_OK;
}

static enum cu_err sign(const struct cu_leaf_terms *terms, X509_REQ *csr, X509 *root,
                        EVP_PKEY *root_key, char **ret_cert_pem)
{
    EVP_PKEY *own = X509_REQ_get0_pubkey(csr);
    X509 *cert = new_cert(terms->serial, terms->validity, own);
    X509_NAME *name = name_of(terms->common_name);
    GENERAL_NAMES *names = names_of_csr(csr);
    int good = X509_set_subject_name(cert, name) == 1 &&
               X509_set_issuer_name(cert, X509_get_subject_name(root)) == 1 && names &&
               X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0) == 1;
    CU_ASSERT(good); /* the names were looked at before */
    add_text_extension(cert, NID_basic_constraints, "critical,CA:FALSE");
    add_text_extension(cert, NID_key_usage,
                       "critical,digitalSignature,keyEncipherment,dataEncipherment,keyAgreement");
    add_text_extension(cert, NID_ext_key_usage, "clientAuth,serverAuth");
    add_key_ids(cert, own, root_key);
    good = X509_sign(cert, root_key, EVP_sha256()) > 0;
    CU_ASSERT(good);
    *ret_cert_pem = cert_text(cert);
    GENERAL_NAMES_free(names);
    X509_NAME_free(name);
    X509_free(cert);
    return CU_OK;
}

enum cu_err cu_leaf_sign(const struct cu_leaf_terms *terms, const char *csr_pem,
                         char **ret_cert_pem, struct cu_diag *diag)
{
    char uri[CU_SPIFFE_URI_BYTES];
    enum cu_err err = cu_csr_uri(csr_pem, uri, diag);
    if (err)
        return err;
    X509_REQ *csr = read_csr(csr_pem, diag);
    X509 *root = read_cert(terms->root_pem, diag);
    EVP_PKEY *root_key = read_key(terms->root_key_pem, diag);
    err = csr && root && root_key ? sign(terms, csr, root, root_key, ret_cert_pem) : CU_E_INVALID;
    X509_REQ_free(csr);
    X509_free(root);
    EVP_PKEY_free(root_key);
    return err;
}

/* ---- facts ---- */

/* "0a:ff" */
static void colon_hex(const unsigned char *bytes, size_t len, char out[CU_COLON_HEX_BYTES])
{
    size_t at = 0;
    out[0] = '\0';
    for (size_t i = 0; i < len && at + 3 < CU_COLON_HEX_BYTES; i++)
        at += (size_t)snprintf(out + at, CU_COLON_HEX_BYTES - at, i ? ":%02x" : "%02x", bytes[i]);
}

static int64_t seconds_of(const ASN1_TIME *time)
{
    struct tm parts;
    int good = ASN1_TIME_to_tm(time, &parts);
    return good == 1 ? (int64_t)timegm(&parts) : 0;
}

static void octets(const ASN1_OCTET_STRING *string, char out[CU_COLON_HEX_BYTES])
{
    out[0] = '\0';
    if (string)
        colon_hex(ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string), out);
}

static void read_serial(X509 *cert, struct cu_cert_facts *facts)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
    colon_hex(ASN1_STRING_get0_data(serial), (size_t)ASN1_STRING_length(serial), facts->serial);
    if (ASN1_INTEGER_get_uint64(&facts->serial_number, serial) != 1)
        facts->serial_number = 0;
}

enum cu_err cu_cert_read(const char *cert_pem, struct cu_cert_facts *ret_facts,
                         struct cu_diag *diag)
{
    X509 *cert = read_cert(cert_pem, diag);
    struct cu_cert_facts facts = {.id = ""};
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    if (!cert)
        return CU_E_INVALID;
    int good = X509_digest(cert, EVP_sha1(), digest, &len);
    CU_ASSERT(good == 1);
    colon_hex(digest, len, facts.id);
    octets(X509_get0_subject_key_id(cert), facts.key_id);
    octets(X509_get0_authority_key_id(cert), facts.issuer_key_id);
    (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, facts.common_name,
                                    sizeof facts.common_name); /* "" when there is none */
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    if (!names || !first_uri(names, facts.uri))
        facts.uri[0] = '\0';
    read_serial(cert, &facts);
    facts.validity = (struct cu_validity){seconds_of(X509_get0_notBefore(cert)),
                                          seconds_of(X509_get0_notAfter(cert))};
    facts.is_ca = X509_check_ca(cert) == 1;
    GENERAL_NAMES_free(names);
    X509_free(cert);
    ERR_clear_error();
    *ret_facts = facts;
    return CU_OK;
}
