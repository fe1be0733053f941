/* `intention get`, `list` and `delete` (cli.md 4.10). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/assert.h"
#include "services/curia/command.h"
#include "services/curia/intention/intention.h"
#include "services/curia/table.h"

enum { EMPTY = 2, TIME_BYTES = 64 };

static const char *name(struct cu_buf *out, const json_t *intention, const char *side)
{
    intention_name(out, intention, side);
    return cli_query_text(out);
}

/* ---- one ---- */

static void add(struct cli_table *table, const char *title, const char *value)
{
    const char *cells[] = {title, value};
    cli_table_add(table, cells);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_meta(struct cli_table *table, json_t *meta)
{
    const char **names = cu_alloc((json_object_size(meta) + 1) * sizeof *names), *key;
    size_t count = 0;
    json_t *value;
    json_object_foreach(meta, key, value) names[count++] = key;
    qsort(names, count, sizeof *names, by_text);
    for (size_t i = 0; i < count; i++) {
        struct cu_buf title = {0};
        cu_buf_printf(&title, "Meta[%s]:", names[i]);
        add(table, cli_query_text(&title), cli_member_text(meta, names[i]));
        cu_buf_deinit(&title);
    }
    free(names);
}

/* Local time, as RFC 850 has it; one that exists only as a config entry has none (Q22). */
static const char *created(const json_t *intention, char text[TIME_BYTES])
{
    struct tm utc = {0}, local;
    char day[TIME_BYTES / 2], rest[TIME_BYTES / 4];
    const char *said = cli_member_text(intention, "CreatedAt");
    time_t at = *said && strptime(said, "%Y-%m-%dT%H:%M:%S", &utc) ? timegm(&utc) : (time_t)-1;
    if (at == (time_t)-1 || !localtime_r(&at, &local) ||
        !strftime(day, sizeof day, "%A, %d-%b", &local) ||
        !strftime(rest, sizeof rest, "%H:%M:%S %Z", &local))
        return "Monday, 01-Jan-01 00:00:00 UTC";
    (void)snprintf(text, TIME_BYTES, "%s-%02d %s", day, local.tm_year % 100, rest);
    return text;
}

static void print_one(const json_t *intention)
{
    struct cli_table table = {.columns = 2};
    struct cu_buf source = {0}, destination = {0};
    char time_text[TIME_BYTES];
    const json_t *permissions = json_object_get(intention, "Permissions");
    const char *action = cli_member_text(intention, "Action"),
               *id = cli_member_text(intention, "ID");
    const char *description = cli_member_text(intention, "Description");
    add(&table, "Source:", name(&source, intention, "Source"));
    add(&table, "Destination:", name(&destination, intention, "Destination"));
    if (*action)
        add(&table, "Action:", action);
    if (*id)
        add(&table, "ID:", id);
    if (*description)
        add(&table, "Description:", description);
    add_meta(&table, json_object_get(intention, "Meta"));
    add(&table, "Created At:", created(intention, time_text));
    cli_table_print(&table);
    cli_table_deinit(&table);
    cu_buf_deinit(&source);
    cu_buf_deinit(&destination);
    if (!json_array_size(permissions))
        return;
    char *text = json_dumps(permissions, JSON_INDENT(2));
    (void)printf("Permissions:\n%s\n", text ? text : "");
    free(text);
}

int cli_intention_get(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *intention = NULL;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    enum cu_err err = intention_fetch(http, args->words, args->word_count, &intention, &diag);
    if (!err)
        print_one(intention);
    json_decref(intention);
    cli_http_free(http);
    return err ? cli_sorry("%s", diag.text) : 0;
}

/* ---- all ---- */

static void add_row(struct cli_table *table, const json_t *intention)
{
    struct cu_buf source = {0}, destination = {0};
    char precedence[24];
    (void)snprintf(precedence, sizeof precedence, "%lld",
                   (long long)json_integer_value(json_object_get(intention, "Precedence")));
    const char *cells[] = {cli_member_text(intention, "ID"), name(&source, intention, "Source"),
                           cli_member_text(intention, "Action"),
                           name(&destination, intention, "Destination"), precedence};
    cli_table_add(table, cells);
    cu_buf_deinit(&source);
    cu_buf_deinit(&destination);
}

static void print_all(const json_t *list)
{
    static const char *const titles[] = {"ID", "Source", "Action", "Destination", "Precedence"};
    struct cli_table table = {.columns = CU_COUNT(titles)};
    size_t i;
    json_t *intention;
    cli_table_add(&table, titles);
    json_array_foreach((json_t *)list, i, intention) add_row(&table, intention);
    cli_table_print(&table);
    cli_table_deinit(&table);
}

int cli_intention_list(const struct cli_args *args)
{
    struct cu_diag diag = {0};
    json_t *list = NULL;
    int code = 0;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    if (cli_get(http, INTENTIONS_PATH, "", NULL, &list, &diag)) {
        code = cli_sorry("Failed to retrieve the intentions list: %s", diag.text);
    } else if (!json_array_size(list)) {
        (void)cli_sorry("There are no intentions.");
        code = EMPTY;
    } else {
        print_all(list);
    }
    json_decref(list);
    cli_http_free(http);
    return code;
}

/* ---- none ---- */

int cli_intention_delete(const struct cli_args *args)
{
    bool by_id = args->word_count == 1;
    struct cu_buf query = {0};
    struct cu_diag diag = {0};
    struct cli_reply reply;
    if (args->word_count != 1 && args->word_count != 2)
        return cli_sorry("command requires exactly 1 or 2 arguments");
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    const char *pair = by_id ? NULL : intention_pair_query(&query, args->words[0], args->words[1]);
    enum cu_err err = cli_http_do(
        http,
        &(struct cli_request){.method = "DELETE",
                              .path = by_id ? INTENTIONS_PATH "/" : INTENTIONS_PATH "/exact",
                              .key = cu_bytes_of(by_id ? args->words[0] : ""),
                              .query = pair},
        &reply, &diag);
    if (!err && reply.status != 200) {
        cli_http_unexpected(&reply, true, &diag);
        err = CU_E_IO;
    }
    cu_buf_deinit(&reply.body);
    cu_buf_deinit(&query);
    cli_http_free(http);
    if (err)
        return cli_sorry("Error deleting the intention: %s", diag.text);
    (void)puts("Intention deleted.");
    return 0;
}
