#include "common/log/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/mono.h"

/* A write of at most PIPE_BUF bytes to a pipe is not torn (pipe(7)), so lines of several threads
 * and daemons never mix. */
enum { LINE_BYTES = 4096, STAMP_BYTES = 32 };

struct cu_log {
    const char *daemon;
    int fd;
    bool as_json;
    enum cu_log_level level; /* read by any thread */
};

static const struct {
    const char *name, *tag;
} levels[CU_LOG_LEVEL_COUNT] = {
    [CU_LOG_TRACE] = {"trace", "[TRACE]"}, [CU_LOG_DEBUG] = {"debug", "[DEBUG]"},
    [CU_LOG_INFO] = {"info", "[INFO] "},   [CU_LOG_WARN] = {"warn", "[WARN] "},
    [CU_LOG_ERROR] = {"error", "[ERROR]"},
};

struct cu_log *cu_log_new(const char *daemon, int fd, enum cu_log_level level, bool as_json)
{
    struct cu_log *log = cu_alloc(sizeof *log);
    *log = (struct cu_log){.daemon = daemon, .fd = fd, .as_json = as_json, .level = level};
    return log;
}

void cu_log_free(struct cu_log *log)
{
    free(log);
}

void cu_log_set_level(struct cu_log *log, enum cu_log_level level)
{
    __atomic_store_n(&log->level, level, __ATOMIC_RELAXED);
}

bool cu_log_is_on(const struct cu_log *log, enum cu_log_level level)
{
    return log && level >= __atomic_load_n(&log->level, __ATOMIC_RELAXED);
}

enum cu_err cu_log_level_parse(const char *name, enum cu_log_level *ret_level)
{
    if (!strcasecmp(name, "err"))
        name = levels[CU_LOG_ERROR].name;
    for (unsigned i = 0; i < CU_LOG_LEVEL_COUNT; i++)
        if (!strcasecmp(name, levels[i].name)) {
            *ret_level = (enum cu_log_level)i;
            return CU_OK;
        }
    return CU_E_INVALID;
}

static void stamp(char out[STAMP_BYTES])
{
    uint64_t now = cu_wall_ms();
    time_t seconds = (time_t)(now / 1000);
    struct tm utc;
    (void)gmtime_r(&seconds, &utc); /* cannot fail for a time of this millennium */
    size_t len = strftime(out, STAMP_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out + len, STAMP_BYTES - len, ".%03uZ", (unsigned)(now % 1000));
}

/* `key=value` pairs become members; text of another shape stays one member. */
static void add_fields(json_t *line, const char *text)
{
    while (*text) {
        const char *equals = strchr(text, '='), *blank = strchr(text, ' ');
        if (!equals || (blank && blank < equals) || equals == text) {
            (void)json_object_set_new(line, "text", json_string(text));
            return;
        }
        const char *value = equals + 1, *end;
        bool quoted = *value == '"' && (end = strchr(value + 1, '"'));
        if (quoted)
            value++;
        else
            end = value + strcspn(value, " ");
        char key[64];
        (void)snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
        (void)json_object_set_new(line, key, json_stringn(value, (size_t)(end - value)));
        text = end + (quoted ? 1 : 0);
        text += strspn(text, " ");
    }
}

static size_t write_json(const struct cu_log *log, enum cu_log_level level, const char *event,
                         const char *text, char out[LINE_BYTES])
{
    char when[STAMP_BYTES];
    stamp(when);
    json_t *line = json_object();
    (void)json_object_set_new(line, "@level", json_string(levels[level].name));
    (void)json_object_set_new(line, "@message", json_string(event));
    (void)json_object_set_new(line, "@module", json_string(log->daemon));
    (void)json_object_set_new(line, "@timestamp", json_string(when));
    size_t bare = json_dumpb(line, out, LINE_BYTES - 1, JSON_COMPACT);
    add_fields(line, text);
    size_t len = json_dumpb(line, out, LINE_BYTES - 1, JSON_COMPACT);
    if (len > LINE_BYTES - 1) { /* escapes made it longer than a line may be */
        (void)json_object_clear(line);
        (void)json_object_set_new(line, "@level", json_string(levels[level].name));
        (void)json_object_set_new(line, "@message", json_string(event));
        (void)json_object_set_new(line, "@module", json_string(log->daemon));
        (void)json_object_set_new(line, "@timestamp", json_string(when));
        len = json_dumpb(line, out, LINE_BYTES - 1, JSON_COMPACT);
        CU_ASSERT(len == bare);
    }
    json_decref(line);
    out[len++] = '\n';
    return len;
}

static size_t write_plain(const struct cu_log *log, enum cu_log_level level, const char *event,
                          const char *text, char out[LINE_BYTES])
{
    char when[STAMP_BYTES];
    stamp(when);
    int len = snprintf(out, LINE_BYTES - 1, "%s %s %s: %s%s%s", when, levels[level].tag,
                       log->daemon, event, *text ? ": " : "", text);
    size_t used = len < LINE_BYTES - 1 ? (size_t)len : LINE_BYTES - 2;
    for (size_t i = 0; i < used; i++)
        if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f)
            out[i] = '?';
    out[used++] = '\n';
    return used;
}

static void write_line(const struct cu_log *log, enum cu_log_level level, const char *event,
                       const char *text)
{
    char line[LINE_BYTES];
    size_t len = log->as_json ? write_json(log, level, event, text, line)
                              : write_plain(log, level, event, text, line);
    ssize_t put = write(log->fd, line, len);
    (void)put; /* nobody is left to be told that nobody reads the log */
}

void cu_log_write(struct cu_log *log, enum cu_log_level level, const char *event, const char *fmt,
                  ...)
{
    if (!cu_log_is_on(log, level))
        return;
    char text[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    write_line(log, level, event, text);
}

void cu_log_limited(struct cu_log *log, struct cu_log_limit *limit, enum cu_log_level level,
                    const char *event, const char *fmt, ...)
{
    if (!cu_log_is_on(log, level))
        return;
    unsigned long long second = cu_mono_now().ns / 1000000000u;
    if (second != limit->second) {
        limit->second = second;
        limit->said = 0;
    }
    if (limit->said >= (limit->per_second ? limit->per_second : 1)) {
        limit->suppressed++;
        return;
    }
    limit->said++;
    char text[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (limit->suppressed && len >= 0 && len < LINE_BYTES)
        (void)snprintf(text + len, sizeof text - (size_t)len, "%ssuppressed=%llu", len ? " " : "",
                       limit->suppressed);
    limit->suppressed = 0;
    write_line(log, level, event, text);
}
