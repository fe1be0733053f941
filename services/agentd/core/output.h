/* output.h - what a check printed, no more of it than its limit (agent.md 8). */
#ifndef AGENT_OUTPUT_H
#define AGENT_OUTPUT_H

#include "common/base/buf.h"

/* Keeps the last bytes. Zero-initialise, then agent_output_begin(). */
struct agent_output {
    uint8_t *ring;
    size_t limit, total; /* total: bytes that came */
};

/* Forgets what it had. limit > 0. */
void agent_output_begin(struct agent_output *output, size_t limit);
void agent_output_add(struct agent_output *output, struct cu_bytes bytes);
void agent_output_deinit(struct agent_output *output);

/* Appends the last bytes as text; `with_notice`: behind "Captured N of M bytes\n...\n" when there
 * were more. */
void agent_output_text(const struct agent_output *output, bool with_notice, struct cu_buf *out);

/* Appends the last bytes as they are. */
void agent_output_raw(const struct agent_output *output, struct cu_buf *out);

/* A TTL's note: its first bytes, and a word behind them when there were more. */
void agent_output_note(struct cu_bytes note, size_t limit, struct cu_buf *out);

/* Appends bytes as text that a name may hold (contracts 8.3): what is no UTF-8, and NUL, becomes
 * U+FFFD. */
void agent_output_clean(struct cu_bytes bytes, struct cu_buf *out);

#endif
