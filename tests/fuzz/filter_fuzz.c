/* filter_fuzz.c - whatever text a filter is, it parses or says why not within its limits, and one
 * that parses answers for a message that has something of everything and for one that is empty. */
#include <stdlib.h>
#include <string.h>

#include "common/filter/shapes.h"
#include "proto/curia/v1/health.pb-c.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_BYTES = 4 * 1024 * 1024 };

static char web[] = "web", v1[] = "v1", key[] = "env", val[] = "prod", passing[] = "passing";

static void must(bool claim)
{
    if (!claim)
        abort();
}

static void ask(const struct cu_filter *filter, const ProtobufCMessage *message)
{
    bool matches;
    enum cu_err err = cu_filter_match(filter, message, &matches);
    must(err == CU_OK || err == CU_E_OVERLOADED);
}

static void ask_full(const struct cu_filter *filter)
{
    char *tags[] = {v1};
    Curia__V1__StringMap__EntriesEntry pair = CURIA__V1__STRING_MAP__ENTRIES_ENTRY__INIT;
    Curia__V1__StringMap__EntriesEntry *pairs[] = {&pair};
    Curia__V1__StringMap meta = CURIA__V1__STRING_MAP__INIT;
    Curia__V1__Upstream upstream = CURIA__V1__UPSTREAM__INIT, *upstreams[] = {&upstream};
    Curia__V1__Proxy proxy = CURIA__V1__PROXY__INIT;
    Curia__V1__Node node = CURIA__V1__NODE__INIT;
    Curia__V1__Service service = CURIA__V1__SERVICE__INIT;
    Curia__V1__Check check = CURIA__V1__CHECK__INIT, *checks[] = {&check, &check};
    Curia__V1__HealthEntry entry = CURIA__V1__HEALTH_ENTRY__INIT;
    pair.key = key;
    pair.value = val;
    meta.entries = pairs;
    meta.n_entries = 1;
    proxy.upstreams = upstreams;
    proxy.n_upstreams = 1;
    node.node = service.service = web;
    node.meta = service.meta = &meta;
    service.tags = tags;
    service.n_tags = 1;
    service.proxy = &proxy;
    check.status = passing;
    entry.node = &node;
    entry.service = &service;
    entry.checks = checks;
    entry.n_checks = 2;
    ask(filter, &entry.base);
}

bool fuzz_one(const uint8_t *data, size_t len)
{
    static const Curia__V1__HealthEntry empty = CURIA__V1__HEALTH_ENTRY__INIT;
    struct cu_arena *arena = cu_arena_new(ARENA_BYTES);
    char *text = malloc(len + 1);
    struct cu_filter *filter = NULL;
    struct cu_diag diag = {0};
    must(text != NULL);
    memcpy(text, data, len);
    text[len] = '\0';
    enum cu_err err = cu_filter_new(text, &cu_filter_health_entry, arena, &filter, &diag);
    must(err == CU_OK || ((err == CU_E_INVALID || err == CU_E_TOO_LARGE) && diag.text[0]));
    if (!err) {
        ask_full(filter);
        ask(filter, &empty.base);
    }
    cu_filter_free(filter);
    cu_arena_free(arena);
    free(text);
    return !err;
}
