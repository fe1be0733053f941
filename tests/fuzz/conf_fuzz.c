/* conf_fuzz.c - configuration texts: what is accepted is rendered, read again, and is the same. */
#include <stdlib.h>
#include <string.h>

#include "common/conf/conf.h"
#include "tests/fuzz/fuzz.h"

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_conf *conf = NULL, *again = NULL;
    struct cu_diag diag = {0};
    if (cu_conf_parse((const char *)data, len, "fuzz", &conf, &diag)) {
        if (!*diag.text)
            abort(); /* a refusal without a sentence */
        return false;
    }
    json_t *rendered = cu_conf_render(conf, NULL);
    char *text = json_dumps(rendered, JSON_SORT_KEYS);
    if (!text || cu_conf_parse(text, strlen(text), "again", &again, &diag))
        abort();
    json_t *twice = cu_conf_render(again, NULL);
    if (!json_equal(rendered, twice))
        abort();
    free(text);
    json_decref(rendered);
    json_decref(twice);
    cu_conf_free(conf);
    cu_conf_free(again);
    return true;
}
