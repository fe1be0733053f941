#include "common/filter/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"

struct cu_filter_pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

enum cu_err cu_pattern_new(const char *text, struct cu_filter_pattern **ret_pattern,
                           struct cu_diag *diag)
{
    int error;
    PCRE2_SIZE at;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)text, strlen(text),
                                     PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_DOLLAR_ENDONLY |
                                         PCRE2_NEVER_BACKSLASH_C,
                                     &error, &at, NULL);
    if (!code) {
        char words[128];
        (void)pcre2_get_error_message(error, (PCRE2_UCHAR *)words, sizeof words);
        return cu_fail(diag, CU_E_INVALID, "%s", words);
    }
    struct cu_filter_pattern *pattern = cu_alloc(sizeof *pattern);
    pattern->code = code;
    pattern->limits = pcre2_match_context_create(NULL);
    pattern->data = pcre2_match_data_create(1, NULL);
    CU_ASSERT(pattern->limits && pattern->data);
    (void)pcre2_set_match_limit(pattern->limits, CU_PATTERN_STEPS_MAX); /* these always return 0 */
    (void)pcre2_set_heap_limit(pattern->limits, CU_PATTERN_HEAP_KIB_MAX);
    *ret_pattern = pattern;
    return CU_OK;
}

void cu_pattern_free(struct cu_filter_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_data_free(pattern->data);
    pcre2_match_context_free(pattern->limits);
    pcre2_code_free(pattern->code);
    free(pattern);
}

enum cu_err cu_pattern_find(const struct cu_filter_pattern *pattern, const char *text,
                            bool *ret_found)
{
    int code = pcre2_match(pattern->code, (PCRE2_SPTR)text, strlen(text), 0, 0, pattern->data,
                           pattern->limits);
    if (code < 0 && code != PCRE2_ERROR_NOMATCH)
        return CU_E_OVERLOADED; /* one of the limits: nothing else is left to go wrong */
    *ret_found = code >= 0;
    return CU_OK;
}
