/* `members` (cli.md 4.18). */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/curia/client.h"
#include "services/curia/command.h"
#include "services/curia/table.h"

enum { CELL_BYTES = 128, NOTHING_TO_SHOW = 2 };

static const char *const status_words[] = {"none", "alive", "leaving", "left", "failed"};

static const char *status_of(const json_t *member)
{
    json_int_t status = json_integer_value(json_object_get(member, "Status"));
    bool is_known = status >= 0 && status < (json_int_t)CU_COUNT(status_words);
    return is_known ? status_words[status] : "unknown";
}

static const char *tag_of(const json_t *member, const char *name)
{
    return cli_member_text(json_object_get(member, "Tags"), name);
}

/* What the Segment column shows; servers are in all of them unless one was asked for. */
static const char *segment_of(const json_t *member, const char *asked)
{
    const char *segment = tag_of(member, "segment");
    if (!asked && !strcmp(tag_of(member, "role"), "consul"))
        return "<all>";
    return *segment ? segment : "<default>";
}

static void address_of(const json_t *member, char text[CELL_BYTES])
{
    const char *ip = cli_member_text(member, "Addr");
    (void)snprintf(text, CELL_BYTES, strchr(ip, ':') ? "[%s]:%lld" : "%s:%lld", ip,
                   (long long)json_integer_value(json_object_get(member, "Port")));
}

static void build_of(const json_t *member, char text[CELL_BYTES])
{
    const char *build = tag_of(member, "build");
    (void)snprintf(text, CELL_BYTES, "%.*s", (int)strcspn(build, ":"), *build ? build : "< 0.3");
}

static void add_short(struct cli_table *table, json_t *member, const char *segment)
{
    char address[CELL_BYTES], build[CELL_BYTES];
    const char *role = tag_of(member, "role");
    bool is_server = !strcmp(role, "consul"), is_client = !strcmp(role, "node");
    address_of(member, address);
    build_of(member, build);
    const char *cells[] = {cli_member_text(member, "Name"),
                           address,
                           status_of(member),
                           is_server ? "server" : "client",
                           build,
                           tag_of(member, "vsn"),
                           tag_of(member, "dc"),
                           segment};
    if (!is_server && !is_client) {
        cells[3] = "unknown";
        cells[4] = cells[5] = cells[6] = cells[7] = "";
    }
    cli_table_add(table, cells);
}

static void add_detailed(struct cli_table *table, json_t *member, const char *segment)
{
    json_t *tags = json_copy(json_object_get(member, "Tags"));
    struct cu_buf text = {0};
    char address[CELL_BYTES];
    (void)json_object_set_new(tags, "segment", json_string(segment));
    cli_join_members(tags, ",", &text);
    address_of(member, address);
    const char *cells[] = {cli_member_text(member, "Name"), address, status_of(member),
                           cli_query_text(&text)};
    cli_table_add(table, cells);
    cu_buf_deinit(&text);
    json_decref(tags);
}

struct row {
    json_t *member;
    const char *segment;
};

static int by_segment_and_name(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int order = strcmp(x->segment, y->segment);
    return order ? order
                 : strcmp(cli_member_text(x->member, "Name"), cli_member_text(y->member, "Name"));
}

static int print(const struct cli_args *args, json_t *members, const regex_t *status)
{
    static const char *const few[] = {"Node", "Address", "Status", "Tags"};
    static const char *const all[] = {"Node",  "Address",  "Status", "Type",
                                      "Build", "Protocol", "DC",     "Segment"};
    bool detailed = cli_bool(args, "detailed");
    struct cli_table table = {.columns = detailed ? CU_COUNT(few) : CU_COUNT(all)};
    struct row *rows = cu_alloc((json_array_size(members) + 1) * sizeof *rows);
    size_t count = 0, i;
    json_t *member;
    json_array_foreach(members, i, member)
    {
        if (regexec(status, status_of(member), 0, NULL, 0) == 0)
            rows[count++] = (struct row){member, segment_of(member, cli_text(args, "segment"))};
    }
    qsort(rows, count, sizeof *rows, by_segment_and_name);
    cli_table_add(&table, detailed ? few : all);
    for (i = 0; i < count; i++)
        (detailed ? add_detailed : add_short)(&table, rows[i].member, rows[i].segment);
    if (count)
        cli_table_print(&table);
    cli_table_deinit(&table);
    free(rows);
    return count ? 0 : NOTHING_TO_SHOW;
}

static int show(const struct cli_args *args, const regex_t *status)
{
    const char *segment = cli_text(args, "segment");
    struct cu_diag diag = {0};
    struct cu_buf query = {0};
    json_t *members = NULL;
    struct cli_http *http = cli_connect(args);
    if (!http)
        return 1;
    if (cli_bool(args, "wan"))
        cli_query_add(&query, "wan", "1");
    else
        cli_query_add(&query, "segment", segment ? segment : "_all");
    enum cu_err err =
        cli_get(http, "/v1/agent/members", "", cli_query_text(&query), &members, &diag);
    int code =
        err ? cli_sorry("Error retrieving members: %s", diag.text) : print(args, members, status);
    json_decref(members);
    cu_buf_deinit(&query);
    cli_http_free(http);
    return code;
}

int cli_members(const struct cli_args *args)
{
    const char *pattern = cli_text(args, "status");
    regex_t status;
    int bad = regcomp(&status, pattern ? pattern : ".*", REG_EXTENDED | REG_NOSUB);
    if (bad) {
        char why[CELL_BYTES];
        (void)regerror(bad, &status, why, sizeof why);
        return cli_sorry("Failed to compile status regexp: %s", why);
    }
    int code = show(args, &status);
    regfree(&status);
    return code;
}
