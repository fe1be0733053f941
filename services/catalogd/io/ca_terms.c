#include "services/catalogd/io/ca_terms.h"

#include <string.h>

#include <jansson.h>

#include "common/base/num.h"

#define CONFIGURING "error configuring provider: "

enum { NS_PER_S = 1000000000 };

static int64_t seconds_of(const json_t *value, int64_t fallback)
{
    int64_t ns;
    struct cu_diag diag;
    if (json_is_string(value) &&
        cu_parse_duration_ns(json_string_value(value), &ns, &diag) == CU_OK)
        return ns / NS_PER_S;
    return json_is_integer(value) ? json_integer_value(value) / NS_PER_S : fallback;
}

static enum cu_err check_ttls(const json_t *json, int64_t leaf_s, struct cu_diag *diag)
{
    int64_t intermediate_s =
        seconds_of(json_object_get(json, "IntermediateCertTTL"), CATALOG_INTERMEDIATE_TTL_S);
    char least[CU_DURATION_BYTES];
    if (json_is_true(json_object_get(json, "SkipValidate")))
        return leaf_s > 0 ? CU_OK
                          : cu_fail(diag, CU_E_INVALID,
                                    CONFIGURING "a leaf must live for a second at least");
    if (leaf_s < CATALOG_LEAF_TTL_MIN_S)
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "leaf cert TTL must be greater or equal than 1h0m0s");
    if (leaf_s > CATALOG_LEAF_TTL_MAX_S)
        return cu_fail(diag, CU_E_INVALID, CONFIGURING "leaf cert TTL must be less than 8760h0m0s");
    if (intermediate_s < CATALOG_INTERMEDIATE_TTL_MIN_S)
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "Intermediate Cert TTL must be greater or equal than 3h");
    if (intermediate_s < 3 * leaf_s)
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "Intermediate Cert TTL must be greater or equal than 3 * "
                                   "LeafCertTTL (>=%s).",
                       cu_format_duration(3 * leaf_s * NS_PER_S, least));
    return CU_OK;
}

static bool is_among(json_int_t value, const int *list)
{
    while (*list && *list != value)
        list++;
    return *list != 0;
}

/* The root's key is made once, on P-256. */
static enum cu_err check_key(const json_t *json, struct cu_diag *diag)
{
    static const int ec[] = {224, 256, 384, 521, 0}, rsa[] = {2048, 4096, 0};
    const json_t *type = json_object_get(json, "PrivateKeyType");
    const json_t *bits = json_object_get(json, "PrivateKeyBits");
    const char *name = json_is_string(type) ? json_string_value(type) : type ? "" : "ec";
    bool is_ec = strcmp(name, "ec") == 0;
    if (!is_ec && strcmp(name, "rsa") != 0)
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "private key type must be either 'ec' or 'rsa'");
    json_int_t count = json_is_integer(bits) ? json_integer_value(bits) : bits ? -1 : 256;
    if (is_ec && !is_among(count, ec))
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "EC key length must be one of (224, 256, 384, 521) bits");
    if (!is_ec && !is_among(count, rsa))
        return cu_fail(diag, CU_E_INVALID, CONFIGURING "RSA key length must be 2048 or 4096 bits");
    return is_ec && count == 256
               ? CU_OK
               : cu_fail(diag, CU_E_INVALID,
                         CONFIGURING "keys other than ec of 256 bits are not supported yet");
}

static enum cu_err check(const json_t *json, int64_t leaf_s, struct cu_diag *diag)
{
    if (!json_is_object(json))
        return cu_fail(diag, CU_E_INVALID, "the CA configuration is no JSON object");
    if (json_object_get(json, "PrivateKey") || json_object_get(json, "RootCert"))
        return cu_fail(diag, CU_E_INVALID,
                       CONFIGURING "a PrivateKey or RootCert of one's own is not supported yet");
    enum cu_err err = check_ttls(json, leaf_s, diag);
    return err ? err : check_key(json, diag);
}

enum cu_err catalog_ca_terms_check(struct cu_bytes config, struct cu_diag *diag)
{
    json_t *json = json_loadb((const char *)config.data, config.len, 0, NULL);
    enum cu_err err =
        check(json, seconds_of(json_object_get(json, "LeafCertTTL"), CATALOG_LEAF_TTL_S), diag);
    json_decref(json);
    return err;
}

struct catalog_ca_terms catalog_ca_terms_of(struct cu_bytes config)
{
    json_t *json = json_loadb((const char *)config.data, config.len, 0, NULL);
    const json_t *rate = json_object_get(json, "CSRMaxPerSecond");
    json_int_t concurrent = json_integer_value(json_object_get(json, "CSRMaxConcurrent"));
    int64_t leaf_s = seconds_of(json_object_get(json, "LeafCertTTL"), CATALOG_LEAF_TTL_S);
    bool has_rate = json_is_number(rate) && json_number_value(rate) >= 0;
    struct catalog_ca_terms terms = {
        .leaf_ttl_s = leaf_s > 0 ? leaf_s : CATALOG_LEAF_TTL_S,
        .csr_per_second = has_rate ? json_number_value(rate) : CATALOG_CSR_PER_SECOND,
        .csr_concurrent = concurrent > 0 ? (size_t)concurrent : 0,
    };
    json_decref(json);
    return terms;
}
