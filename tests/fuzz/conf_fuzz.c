/* conf_fuzz.c - configuration texts, as JSON and as HCL: what is accepted is rendered, read again,
 * and is the same. */
#include <stdlib.h>
#include <string.h>

#include "common/conf/conf.h"
#include "tests/fuzz/fuzz.h"

static void must(bool claim)
{
    if (!claim)
        abort();
}

static enum cu_err parse_hcl(const uint8_t *data, size_t len, struct cu_conf **ret_conf,
                             struct cu_diag *diag)
{
    char *text = malloc(len + 1);
    must(text != NULL);
    memcpy(text, data, len);
    text[len] = '\0';
    const char *const fragments[] = {text, NULL};
    enum cu_err err =
        cu_conf_load(&(struct cu_conf_sources){.fragments = fragments}, ret_conf, NULL, diag);
    free(text);
    return err;
}

static void check_stable(struct cu_conf *conf)
{
    struct cu_conf *again = NULL;
    json_t *rendered = cu_conf_render(conf, NULL);
    char *text = json_dumps(rendered, JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    must(text && !cu_conf_parse(text, strlen(text), "again", &again, NULL));
    json_t *twice = cu_conf_render(again, NULL);
    must(json_equal(rendered, twice));
    free(text);
    json_decref(rendered);
    json_decref(twice);
    cu_conf_free(conf);
    cu_conf_free(again);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_conf *conf = NULL, *hcl = NULL;
    struct cu_diag diag = {0}, hcl_diag = {0};
    enum cu_err err = cu_conf_parse((const char *)data, len, "fuzz", &conf, &diag);
    enum cu_err hcl_err = parse_hcl(data, len, &hcl, &hcl_diag);
    must(!err || *diag.text); /* no refusal without a sentence */
    must(!hcl_err || *hcl_diag.text);
    if (!err)
        check_stable(conf);
    if (!hcl_err)
        check_stable(hcl);
    return !err || !hcl_err;
}
