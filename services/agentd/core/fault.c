#include "services/agentd/core/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* text NULL: the sentence that came with the error. */
static const struct {
    unsigned status;
    const char *text;
} rows[] = {
    // clang-format off
    [CU_E_INVALID]      = {500, NULL},
    [CU_E_DENIED]       = {403, NULL},
    [CU_E_NOT_FOUND]    = {404, NULL},
    [CU_E_CONFLICT]     = {409, NULL},
    [CU_E_TOO_LARGE]    = {413, NULL},
    [CU_E_OVERLOADED]   = {429, NULL},
    [CU_E_NOT_READY]    = {500, "No cluster leader"},
    [CU_E_NO_LEADER]    = {500, "No cluster leader"},
    [CU_E_RETRY]        = {500, NULL},
    [CU_E_UNKNOWN]      = {500, "leadership lost while committing log"},
    [CU_E_DEADLINE]     = {500, "rpc error making call: deadline exceeded"},
    [CU_E_DISCONNECTED] = {500, "rpc error making call: no catalog is reachable"},
    [CU_E_INTERNAL]     = {500, NULL},
    [CU_E_IO]           = {500, NULL},
    [CU_E_CORRUPT]      = {500, NULL},
    // clang-format on
};
_Static_assert(CU_COUNT(rows) == CU_ERR_COUNT, "a row for each error");

bool agent_refuse(struct agent_fault *fault, unsigned status, const char *fmt, ...)
{
    va_list args;
    fault->status = status;
    va_start(args, fmt);
    (void)vsnprintf(fault->text, sizeof fault->text, fmt, args); /* cut at the limit on purpose */
    va_end(args);
    return false;
}

bool agent_fault_has_row(enum cu_err err)
{
    return (unsigned)err < CU_ERR_COUNT && rows[err].status != 0;
}

void agent_fault_of(struct agent_fault *fault, enum cu_err err, const char *text,
                    unsigned invalid_status)
{
    if (!agent_fault_has_row(err))
        err = CU_E_INTERNAL;
    unsigned status = err == CU_E_INVALID ? invalid_status : rows[err].status;
    const char *words = rows[err].text;
    if (!words)
        words = text && *text ? text : cu_err_words(err);
    /* These sentences select the status whatever error carried them. */
    if (strstr(words, "Permission denied") || strstr(words, "ACL not found"))
        status = 403;
    if (strcmp(words, "RPC rate limit exceeded") == 0) {
        status = 429;
        words = "";
    }
    (void)agent_refuse(fault, status, "%s", words);
}
