/* conf.h - the effective configuration: one table of keys for the suite, read once, passed down
 * const. */
#ifndef CU_CONF_CONF_H
#define CU_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "common/base/err.h"

struct cu_conf;

/* Where configuration comes from, merged in this order (agent.md 2). */
struct cu_conf_sources {
    bool dev;                 /* -dev defaults before all files */
    const char *const *paths; /* files and directories in command-line order, NULL-ended */
    const char *format;       /* "json" or "hcl", whatever the files' names; NULL: by their names */
    const char *const *fragments; /* texts of HCL, NULL-ended, or NULL */
    json_t *flags; /* object: keys from the command line, merged last; borrowed, may be NULL */
};

/* Reads, merges and validates against the table. The text of the first error is the reference's
 * where agent.md 2 gives it. `warnings` (may be NULL) is filled with an array of strings, yours
 * (json_decref). Errors: CU_E_INVALID, CU_E_NOT_FOUND (a missing file), CU_E_IO. */
CU_MUST_USE enum cu_err cu_conf_load(const struct cu_conf_sources *sources,
                                     struct cu_conf **ret_conf, json_t **ret_warnings,
                                     struct cu_diag *diag);

/* From one JSON text (a rendered file). */
CU_MUST_USE enum cu_err cu_conf_parse(const char *text, size_t len, const char *name,
                                      struct cu_conf **ret_conf, struct cu_diag *diag);
void cu_conf_free(struct cu_conf *conf);

/* The keys that `daemon` owns or shares, as a JSON object (json_decref); NULL daemon: all. Only
 * what was set. */
json_t *cu_conf_render(const struct cu_conf *conf, const char *daemon);

/* Values by full key path ("ports.http"); a key in no row, or of another type, is our bug
 * (asserted). The default of the table where nothing was set. Strings live as long as the conf. */
const char *cu_conf_text(const struct cu_conf *conf,
                         const char *key); /* "" when unset and no default */
bool cu_conf_bool(const struct cu_conf *conf, const char *key);
int64_t cu_conf_int(const struct cu_conf *conf, const char *key);
int64_t cu_conf_ms(const struct cu_conf *conf, const char *key); /* durations */
const json_t *cu_conf_json(const struct cu_conf *conf,
                           const char *key); /* lists, maps, objects; NULL when unset */
bool cu_conf_is_set(const struct cu_conf *conf, const char *key);

/* The keys that are set otherwise in `now` than in `was` and that no reload takes up, one a call:
 * *at is 0 first. NULL: no more. */
const char *cu_conf_next_stuck(const struct cu_conf *was, const struct cu_conf *now, size_t *at);

#endif
