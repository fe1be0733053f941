/* hcl_fuzz.c - HCL texts: one that is refused says where; what is read is within the limits, can be
 * shown as JSON, and is the same when that is read. */
#include <stdlib.h>
#include <string.h>

#include "common/hcl/hcl.h"
#include "tests/fuzz/fuzz.h"

static void must(bool claim)
{
    if (!claim)
        abort();
}

/* How deep it is; the limit bounds the recursion, too. */
static void check_depth(json_t *value, int left)
{
    const char *name;
    json_t *member;
    size_t i;
    must(left > 0);
    if (json_is_object(value)) {
        json_object_foreach(value, name, member) check_depth(member, left - 1);
    } else {
        json_array_foreach(value, i, member) check_depth(member, left - 1);
    }
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    struct cu_diag diag = {0};
    json_t *tree = NULL;
    enum cu_err err = cu_hcl_parse((struct cu_bytes){data, len}, &tree, &diag);
    if (err) {
        must((err == CU_E_INVALID || err == CU_E_TOO_LARGE) && diag.text[0] && !tree);
        return false;
    }
    must(json_is_object(tree));
    check_depth(tree, 2 * CU_HCL_MAX_DEPTH + 2);
    char *text = json_dumps(tree, JSON_REAL_PRECISION(17));
    must(text != NULL);
    json_t *again = json_loads(text, 0, NULL);
    must(again && json_equal(tree, again));
    free(text);
    json_decref(tree);
    json_decref(again);
    return true;
}
