/* log_line.h - a line of a daemon's log as /v1/agent/monitor shows it (http-api.md 2.2, agent.md
 * 25). */
#ifndef AGENT_LOG_LINE_H
#define AGENT_LOG_LINE_H

#include <stdbool.h>

#include "common/base/buf.h"

/* How grave a level is, by its name in any case ("error" is "err"); -1: none has that name. */
int agent_log_gravity(const char *name);

/* Whether a line is at least that grave. One without a level is always shown. */
bool agent_log_line_counts(const char *line, int gravity);

/* Appends the line and its end; as a JSON object when asked and it is not one already. */
void agent_log_line_show(const char *line, bool as_json, struct cu_buf *out);

#endif
