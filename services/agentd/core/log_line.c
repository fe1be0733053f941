#include "services/agentd/core/log_line.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/err.h"
#include "common/json/text.h"

enum { LEVEL_BYTES = 8 };

/* The word between the first brackets, or of "@level" of a JSON line; "" when there is none. */
static void level_word(const char *line, char word[LEVEL_BYTES])
{
    static const char key[] = "\"@level\":\"";
    const char *start = line[0] == '{' ? strstr(line, key) : strchr(line, '[');
    size_t skip = line[0] == '{' ? sizeof key - 1 : 1;
    word[0] = 0;
    if (!start)
        return;
    size_t len = strcspn(start + skip, "]\"");
    if (len < LEVEL_BYTES)
        (void)snprintf(word, LEVEL_BYTES, "%.*s", (int)len, start + skip);
}

int agent_log_gravity(const char *name)
{
    static const struct {
        const char *name;
        int gravity;
    } levels[] = {{"trace", 0}, {"debug", 1}, {"info", 2}, {"warn", 3}, {"err", 4}, {"error", 4}};
    for (size_t i = 0; i < CU_COUNT(levels); i++)
        if (strcasecmp(name, levels[i].name) == 0)
            return levels[i].gravity;
    return -1;
}

bool agent_log_line_counts(const char *line, int gravity)
{
    char word[LEVEL_BYTES];
    level_word(line, word);
    int own = agent_log_gravity(word);
    return own < 0 || own >= gravity;
}

static void put(struct cu_buf *out, const char *name, const char *text, size_t len)
{
    cu_buf_u8(out, out->len && out->data[out->len - 1] != '\n' ? ',' : '{');
    cu_json_cstr(out, name);
    cu_buf_u8(out, ':');
    cu_json_text(out, (struct cu_bytes){(const uint8_t *)text, len});
}

/* "TIMESTAMP [LEVEL]  DAEMON: MESSAGE" (agent.md 25); any other line is all message. */
static void put_parts(const char *line, struct cu_buf *out)
{
    char word[LEVEL_BYTES];
    const char *open = strchr(line, '['), *close = open ? strchr(open, ']') : NULL;
    const char *module = close ? close + 1 + strspn(close + 1, " ") : NULL;
    const char *colon = module ? strstr(module, ": ") : NULL;
    level_word(line, word);
    for (char *at = word; *at; at++)
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    if (!colon || !*word || open == line) {
        put(out, "@message", line, strlen(line));
        return;
    }
    put(out, "@level", word, strlen(word));
    put(out, "@message", colon + 2, strlen(colon + 2));
    put(out, "@module", module, (size_t)(colon - module));
    put(out, "@timestamp", line, (size_t)(open - line - 1));
}

void agent_log_line_show(const char *line, bool as_json, struct cu_buf *out)
{
    struct cu_buf json = {0};
    if (!as_json || line[0] == '{') {
        cu_buf_text(out, line);
    } else {
        put_parts(line, &json);
        cu_buf_u8(&json, '}');
        cu_buf_append(out, json.data, json.len);
        cu_buf_deinit(&json);
    }
    cu_buf_u8(out, '\n');
}
