/* mesh.md 1.4, 1.5: what is issued is what a verifier accepts, and nothing else is. */
#include <stdlib.h>
#include <string.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "common/tls/cert.h"
#include "tests/lib/suite.h"

#define TD  "11111111-2222-3333-4444-555555555555.consul"
#define URI "spiffe://" TD "/ns/default/dc/dc1/svc/web"

enum { NOW_S = 1800000000 };

struct made {
    char *root_key, *root, *key, *csr, *leaf;
};

static struct made make(const char *uri)
{
    struct made m = {.root_key = cu_key_new(), .key = cu_key_new()};
    struct cu_diag diag;
    ck_assert_int_eq(cu_root_new(m.root_key, "pri-a.consul.ca.11111111.consul", "spiffe://" TD, 7,
                                 NOW_S, &m.root, &diag),
                     CU_OK);
    ck_assert_int_eq(cu_csr_new(m.key, uri, "whatever", &m.csr, &diag), CU_OK);
    struct cu_leaf_terms terms = {.root_pem = m.root,
                                  .root_key_pem = m.root_key,
                                  .common_name = "web.svc.default.11111111.consul",
                                  .serial = 256,
                                  .validity = {NOW_S - 60, NOW_S - 60 + 72 * 3600}};
    ck_assert_int_eq(cu_leaf_sign(&terms, m.csr, &m.leaf, &diag), CU_OK);
    return m;
}

static void unmake(struct made *m)
{
    cu_secret_free(m->root_key);
    cu_secret_free(m->key);
    free(m->root);
    free(m->csr);
    free(m->leaf);
}

static X509 *parse(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ck_assert_ptr_nonnull(cert);
    return cert;
}

/* X509_V_OK, or why not, at a time and for a purpose. */
static int verify(const char *leaf_pem, const char *root_pem, time_t at, int purpose)
{
    X509 *leaf = parse(leaf_pem), *root = parse(root_pem);
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    ck_assert_int_eq(X509_STORE_add_cert(store, root), 1);
    ck_assert_int_eq(X509_STORE_CTX_init(context, store, leaf, NULL), 1);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_VERIFY_PARAM_set_time(param, at);
    X509_VERIFY_PARAM_set_purpose(param, purpose);
    (void)X509_verify_cert(context);
    int error = X509_STORE_CTX_get_error(context);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(leaf);
    X509_free(root);
    return error;
}

START_TEST(a_leaf_verifies_under_its_root_for_both_ends_within_its_time)
{
    struct made m = make(URI);
    ck_assert_int_eq(verify(m.leaf, m.root, NOW_S, X509_PURPOSE_SSL_SERVER), X509_V_OK);
    ck_assert_int_eq(verify(m.leaf, m.root, NOW_S, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    ck_assert_int_eq(verify(m.leaf, m.root, NOW_S + 72 * 3600, X509_PURPOSE_SSL_CLIENT),
                     X509_V_ERR_CERT_HAS_EXPIRED);
    struct made other = make(URI);
    ck_assert_int_ne(verify(m.leaf, other.root, NOW_S, X509_PURPOSE_SSL_CLIENT), X509_V_OK);
    unmake(&other);
    unmake(&m);
}
END_TEST

START_TEST(facts_of_root_and_leaf_are_those_of_mesh_1)
{
    struct made m = make(URI);
    struct cu_cert_facts root, leaf;
    ck_assert_int_eq(cu_cert_read(m.root, &root, NULL), CU_OK);
    ck_assert_int_eq(cu_cert_read(m.leaf, &leaf, NULL), CU_OK);
    ck_assert(root.is_ca && !leaf.is_ca);
    ck_assert_str_eq(root.uri, "spiffe://" TD);
    ck_assert_uint_eq(root.serial_number, 7);
    ck_assert_str_eq(leaf.serial, "01:00");
    ck_assert_str_eq(leaf.uri, URI);
    ck_assert_str_eq(leaf.common_name, "web.svc.default.11111111.consul");
    ck_assert_str_eq(leaf.issuer_key_id, root.key_id);
    ck_assert_str_eq(root.issuer_key_id, root.key_id);
    ck_assert_uint_eq(strlen(root.key_id), 3 * 32 - 1);
    ck_assert_uint_eq(strlen(root.id), 3 * 20 - 1);
    ck_assert_int_eq(leaf.validity.not_before_s, NOW_S - 60);
    ck_assert_int_eq(leaf.validity.not_after_s, NOW_S - 60 + 72 * 3600);
    ck_assert_int_eq(root.validity.not_before_s, NOW_S);
    unmake(&m);
}
END_TEST

START_TEST(texts_end_in_one_newline_and_keys_are_sec1)
{
    struct made m = make(URI);
    const char *texts[] = {m.root_key, m.root, m.csr, m.leaf};
    for (size_t i = 0; i < CU_COUNT(texts); i++) {
        size_t len = strlen(texts[i]);
        ck_assert(texts[i][len - 1] == '\n' && texts[i][len - 2] != '\n');
    }
    ck_assert_int_eq(strncmp(m.key, "-----BEGIN EC PRIVATE KEY-----\n", 31), 0);
    unmake(&m);
}
END_TEST

START_TEST(a_request_says_its_uri_and_a_forged_one_is_refused)
{
    struct made m = make(URI);
    char uri[CU_SPIFFE_URI_BYTES];
    ck_assert_int_eq(cu_csr_uri(m.csr, uri, NULL), CU_OK);
    ck_assert_str_eq(uri, URI);
    /* A byte of the signed part or of the signature is another one. */
    char *at = m.csr + strlen(m.csr) / 2;
    *at = *at == 'A' ? 'B' : 'A';
    ck_assert_int_eq(cu_csr_uri(m.csr, uri, NULL), CU_E_INVALID);
    ck_assert_int_eq(cu_csr_uri("", uri, NULL), CU_E_INVALID);
    ck_assert_int_eq(cu_csr_uri(m.leaf, uri, NULL), CU_E_INVALID);
    unmake(&m);
}
END_TEST

START_TEST(a_services_request_names_it_and_one_byte_too_much_of_a_name_is_refused)
{
    char *key = NULL, *csr = NULL, uri[CU_SPIFFE_URI_BYTES], name[CU_SPIFFE_PART_BYTES + 1] = "";
    struct cu_diag diag;
    ck_assert_int_eq(cu_service_csr_new(TD, "dc1", "web", &key, &csr, &diag), CU_OK);
    ck_assert_int_eq(cu_csr_uri(csr, uri, &diag), CU_OK);
    ck_assert_str_eq(uri, URI);
    ck_assert_ptr_nonnull(strstr(key, "EC PRIVATE KEY"));
    cu_secret_free(key);
    free(csr);
    key = csr = NULL;
    memset(name, 'n', CU_SPIFFE_PART_BYTES - 1);
    ck_assert_int_eq(cu_service_csr_new(TD, "dc1", name, &key, &csr, &diag), CU_OK);
    cu_secret_free(key);
    free(csr);
    key = csr = NULL;
    name[CU_SPIFFE_PART_BYTES - 1] = 'n';
    ck_assert_int_eq(cu_service_csr_new(TD, "dc1", name, &key, &csr, &diag), CU_E_INVALID);
    ck_assert_int_eq(cu_service_csr_new(TD, name, "web", &key, &csr, &diag), CU_E_INVALID);
    ck_assert_int_eq(cu_service_csr_new(name, "dc1", "web", &key, &csr, &diag), CU_E_INVALID);
    ck_assert_ptr_null(key);
    ck_assert_ptr_null(csr);
}
END_TEST

START_TEST(a_request_one_byte_over_the_limit_is_refused)
{
    struct made m = make(URI);
    char uri[CU_SPIFFE_URI_BYTES], *padded = malloc(CU_PEM_BYTES_MAX + 2);
    size_t len = strlen(m.csr);
    memcpy(padded, m.csr, len);
    memset(padded + len, '\n', CU_PEM_BYTES_MAX + 1 - len);
    padded[CU_PEM_BYTES_MAX] = '\0';
    ck_assert_int_eq(cu_csr_uri(padded, uri, NULL), CU_OK);
    padded[CU_PEM_BYTES_MAX] = '\n';
    padded[CU_PEM_BYTES_MAX + 1] = '\0';
    ck_assert_int_eq(cu_csr_uri(padded, uri, NULL), CU_E_TOO_LARGE);
    free(padded);
    unmake(&m);
}
END_TEST

START_TEST(a_comma_in_a_name_stays_in_the_uri)
{
    struct made m = make("spiffe://" TD "/ns/default/dc/dc1/svc/a,DNS:evil.example");
    struct cu_cert_facts leaf;
    ck_assert_int_eq(cu_cert_read(m.leaf, &leaf, NULL), CU_OK);
    ck_assert_str_eq(leaf.uri, "spiffe://" TD "/ns/default/dc/dc1/svc/a,DNS:evil.example");
    unmake(&m);
}
END_TEST

START_TEST(a_bad_key_is_refused)
{
    char *out = NULL;
    struct cu_diag diag;
    ck_assert_int_eq(cu_csr_new("no key", URI, "x", &out, &diag), CU_E_INVALID);
    ck_assert_ptr_null(out);
}
END_TEST

SUITE_MAIN("common/tls/cert", a_leaf_verifies_under_its_root_for_both_ends_within_its_time,
           facts_of_root_and_leaf_are_those_of_mesh_1, texts_end_in_one_newline_and_keys_are_sec1,
           a_request_says_its_uri_and_a_forged_one_is_refused,
           a_services_request_names_it_and_one_byte_too_much_of_a_name_is_refused,
           a_request_one_byte_over_the_limit_is_refused, a_comma_in_a_name_stays_in_the_uri,
           a_bad_key_is_refused)
