#include "services/catalogd/io/ca_terms.h"

#include "tests/lib/suite.h"

static struct catalog_ca_terms terms;
static struct cu_diag diag;

static enum cu_err read_terms(const char *json)
{
    terms = catalog_ca_terms_of(cu_bytes_of(json));
    return catalog_ca_terms_check(cu_bytes_of(json), &diag);
}

START_TEST(what_it_does_not_say_is_the_references) /* mesh 1.7, 1.9 */
{
    ck_assert_int_eq(read_terms("{}"), CU_OK);
    ck_assert_int_eq(terms.leaf_ttl_s, 72 * 3600);
    ck_assert(terms.csr_per_second == 50);
    ck_assert_uint_eq(terms.csr_concurrent, 0);
}
END_TEST

START_TEST(it_says_how_long_and_how_often)
{
    ck_assert_int_eq(read_terms("{\"LeafCertTTL\":\"1h30m\",\"CSRMaxPerSecond\":0.5,"
                                "\"CSRMaxConcurrent\":3,\"PrivateKeyType\":\"ec\","
                                "\"PrivateKeyBits\":256}"),
                     CU_OK);
    ck_assert_int_eq(terms.leaf_ttl_s, 5400);
    ck_assert(terms.csr_per_second == 0.5);
    ck_assert_uint_eq(terms.csr_concurrent, 3);
    ck_assert_int_eq(read_terms("{\"CSRMaxPerSecond\":0}"), CU_OK);
    ck_assert(terms.csr_per_second == 0);
    ck_assert_int_eq(read_terms("{\"LeafCertTTL\":\"3s\",\"SkipValidate\":true}"), CU_OK);
    ck_assert_int_eq(terms.leaf_ttl_s, 3);
    ck_assert_int_eq(read_terms("{\"LeafCertTTL\":3600000000000}"), CU_OK);
    ck_assert_int_eq(terms.leaf_ttl_s, 3600);
}
END_TEST

#define CONFIGURING "error configuring provider: "
static const char *const refused[][2] = {
    {"", "the CA configuration is no JSON object"},
    {"[]", "the CA configuration is no JSON object"},
    {"{\"LeafCertTTL\":\"30m\"}",
     CONFIGURING "leaf cert TTL must be greater or equal than 1h0m0s"}, /* mesh 11 */
    {"{\"LeafCertTTL\":\"8761h\"}", CONFIGURING "leaf cert TTL must be less than 8760h0m0s"},
    {"{\"LeafCertTTL\":\"1h\",\"IntermediateCertTTL\":\"2h\"}",
     CONFIGURING "Intermediate Cert TTL must be greater or equal than 3h"},
    {"{\"LeafCertTTL\":\"2h\",\"IntermediateCertTTL\":\"5h\"}",
     CONFIGURING "Intermediate Cert TTL must be greater or equal than 3 * LeafCertTTL (>=6h0m0s)."},
    {"{\"PrivateKeyType\":\"dsa\"}", CONFIGURING "private key type must be either 'ec' or 'rsa'"},
    {"{\"PrivateKeyType\":7}", CONFIGURING "private key type must be either 'ec' or 'rsa'"},
    {"{\"PrivateKeyBits\":255}",
     CONFIGURING "EC key length must be one of (224, 256, 384, 521) bits"},
    {"{\"PrivateKeyType\":\"rsa\",\"PrivateKeyBits\":256}",
     CONFIGURING "RSA key length must be 2048 or 4096 bits"},
    {"{\"PrivateKeyType\":\"rsa\",\"PrivateKeyBits\":2048}",
     CONFIGURING "keys other than ec of 256 bits are not supported yet"},
    {"{\"PrivateKey\":\"x\"}",
     CONFIGURING "a PrivateKey or RootCert of one's own is not supported yet"},
    {"{\"LeafCertTTL\":\"0s\",\"SkipValidate\":true}",
     CONFIGURING "a leaf must live for a second at least"},
};

START_TEST(what_cannot_be_understood_is_the_default)
{
    ck_assert_int_eq(read_terms("{\"LeafCertTTL\":\"x\",\"CSRMaxPerSecond\":-1,"
                                "\"CSRMaxConcurrent\":-1}"),
                     CU_OK);
    ck_assert_int_eq(terms.leaf_ttl_s, 72 * 3600);
    ck_assert(terms.csr_per_second == 50);
    ck_assert_uint_eq(terms.csr_concurrent, 0);
}
END_TEST

START_TEST(refuses_with_the_words_of_the_reference)
{
    for (size_t i = 0; i < CU_COUNT(refused); i++) {
        ck_assert_msg(read_terms(refused[i][0]) == CU_E_INVALID, "%s", refused[i][0]);
        ck_assert_str_eq(diag.text, refused[i][1]);
    }
}
END_TEST

SUITE_MAIN("services/catalogd/io/ca_terms", what_it_does_not_say_is_the_references,
           it_says_how_long_and_how_often, what_cannot_be_understood_is_the_default,
           refuses_with_the_words_of_the_reference)
