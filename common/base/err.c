#include "common/base/err.h"

#include <stdio.h>

static const struct {
    const char *name;
    const char *words;
} rows[] = {
    [CU_OK] = {"Ok", "done"},
#define CU_ERR(name, wire, words) [CU_E_##name] = {wire, words},
#include "common/base/err.def"
#undef CU_ERR
};
_Static_assert(CU_COUNT(rows) == CU_ERR_COUNT, "a row for each error");

const char *cu_err_name(enum cu_err err)
{
    return (unsigned)err < CU_ERR_COUNT ? rows[err].name : rows[CU_E_INTERNAL].name;
}

const char *cu_err_words(enum cu_err err)
{
    return (unsigned)err < CU_ERR_COUNT ? rows[err].words : rows[CU_E_INTERNAL].words;
}

enum cu_err cu_err_from_wire(unsigned number)
{
    return number <= CU_E_INTERNAL ? (enum cu_err)number : CU_E_INTERNAL;
}

unsigned cu_err_to_wire(enum cu_err err)
{
    return (unsigned)err <= CU_E_INTERNAL ? (unsigned)err : (unsigned)CU_E_INTERNAL;
}

enum cu_err cu_fail(struct cu_diag *diag, enum cu_err err, const char *fmt, ...)
{
    if (diag) {
        va_list args;
        va_start(args, fmt);
        (void)vsnprintf(diag->text, sizeof diag->text, fmt, args); /* cut at the limit on purpose */
        va_end(args);
    }
    return err;
}
