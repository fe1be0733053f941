/* source.h - configuration files: found, read, parsed as JSON or HCL. */
#ifndef CU_CONF_SOURCE_H
#define CU_CONF_SOURCE_H

#include <stdbool.h>

#include <jansson.h>

#include "common/base/err.h"

enum { CU_CONF_FILE_BYTES = 4 * 1024 * 1024 }; /* a longer file is refused */

/* Called for each file in order with its content (borrowed, may be changed); an error ends the
 * walk.
 */
typedef enum cu_err cu_conf_take(void *arg, const char *name, json_t *content, bool is_hcl,
                                 struct cu_diag *diag);

/* Reads the file, or the files of the directory `path` (lexical order, not recursive, names that
 * end in .json or .hcl; others are named in `warnings`, which may be NULL). `format` is "json" or
 * "hcl" for whatever name, NULL: HCL where a name ends so, else JSON. Errors: CU_E_NOT_FOUND,
 * CU_E_INVALID (text of agent.md 2), CU_E_TOO_LARGE, CU_E_IO. */
CU_MUST_USE enum cu_err cu_conf_read(const char *path, const char *format, json_t *warnings,
                                     cu_conf_take *take, void *arg, struct cu_diag *diag);

/* One text. `name` is what messages call it. */
CU_MUST_USE enum cu_err cu_conf_read_text(const char *text, size_t len, const char *name,
                                          bool is_hcl, cu_conf_take *take, void *arg,
                                          struct cu_diag *diag);

#endif
