/* csr_fuzz.c - certificate requests, certificates and identities of the mesh: each is taken or
 * refused with a sentence; an identity that is taken is written and reads the same. */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/tls/cert.h"
#include "tests/fuzz/fuzz.h"

static bool is_same(const struct cu_spiffe *a, const struct cu_spiffe *b)
{
    return a->kind == b->kind && !strcmp(a->host, b->host) &&
           !strcmp(a->datacenter, b->datacenter) && !strcmp(a->name, b->name) &&
           !strcmp(a->ns, b->ns);
}

static bool try_identity(const char *text)
{
    struct cu_spiffe id, again;
    struct cu_diag diag = {{0}};
    char uri[CU_SPIFFE_URI_BYTES], name[CU_COMMON_NAME_BYTES];
    if (cu_spiffe_parse(text, &id, &diag)) {
        if (!diag.text[0])
            abort(); /* refused without a sentence */
        return false;
    }
    cu_spiffe_common_name(&id, name);
    if (cu_spiffe_format(&id, uri) == CU_OK &&
        (cu_spiffe_parse(uri, &again, NULL) || !is_same(&id, &again)))
        abort();
    return true;
}

static bool try_request(const char *text)
{
    char uri[CU_SPIFFE_URI_BYTES];
    struct cu_diag diag = {{0}};
    enum cu_err err = cu_csr_uri(text, uri, &diag);
    if (err && !diag.text[0])
        abort();
    if (!err)
        (void)try_identity(uri);
    return !err;
}

static bool try_certificate(const char *text)
{
    struct cu_cert_facts facts;
    struct cu_diag diag = {{0}};
    enum cu_err err = cu_cert_read(text, &facts, &diag);
    if (err && !diag.text[0])
        abort();
    if (!err)
        (void)try_identity(facts.uri);
    return !err;
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    char *text = cu_alloc(len + 1); /* with its NUL */
    if (len)
        memcpy(text, data, len);
    bool parsed = try_identity(text);
    parsed |= try_request(text);
    parsed |= try_certificate(text);
    free(text);
    return parsed;
}
