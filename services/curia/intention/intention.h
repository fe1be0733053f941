/* intention.h - what the commands of intentions have in common (cli.md 4.10). */
#ifndef CLI_INTENTION_H
#define CLI_INTENTION_H

#include "services/curia/client.h"

#define INTENTIONS_PATH "/v1/connect/intentions"

/* A name, or "NAMESPACE/NAME", taken apart. */
struct intention_target {
    char ns[256]; /* "": not said */
    const char *name;
};
CU_MUST_USE enum cu_err intention_parse_target(const char *text, struct intention_target *ret,
                                               struct cu_diag *diag);

/* "source=a&destination=b"; the buffer is the caller's. */
const char *intention_pair_query(struct cu_buf *query, const char *source, const char *destination);

/* What the words name: an id, or a source and a destination. The object is yours. CU_E_NOT_FOUND:
 * there is none; CU_E_IO, CU_E_INVALID; the sentence is whole. */
CU_MUST_USE enum cu_err intention_fetch(struct cli_http *http, char **words, int count,
                                        json_t **ret_intention, struct cu_diag *diag);

/* "web", or "ns/web"; of "Source" or "Destination". Appends. */
void intention_name(struct cu_buf *out, const json_t *intention, const char *side);
/* "web => api (deny)". Appends, with a NUL behind it that is not counted. */
const char *intention_text(struct cu_buf *out, const json_t *intention);

#endif
