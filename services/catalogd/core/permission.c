#include "services/catalogd/core/permission.h"

#include <ctype.h>
#include <string.h>

#include "common/base/assert.h"
#include "services/catalogd/core/sentence.h"

typedef Curia__V1__IntentionHttp http_t;
typedef Curia__V1__IntentionHeader header_t;

bool catalog_is_action(const char *action)
{
    return strcmp(action, "allow") == 0 || strcmp(action, "deny") == 0;
}

/* Which one it is, for the sentence. */
struct place {
    struct cu_arena *arena;
    size_t source, permission;
};

#define PLACE "Sources[%zu].Permissions[%zu]"

static const char *path_refusal(const struct place *at, const http_t *http)
{
    int paths = !!*http->path_exact + !!*http->path_prefix + !!*http->path_regex;
    bool is_exact = *http->path_exact != '\0';
    const char *path = is_exact ? http->path_exact : http->path_prefix;
    if (paths == 0 && !http->n_header && !http->n_methods)
        return catalog_sentence(at->arena, PLACE ".HTTP should not be empty", at->source,
                                at->permission);
    if (paths > 1)
        return catalog_sentence(at->arena,
                                PLACE ".HTTP should only contain at most one of PathExact, "
                                      "PathPrefix, or PathRegex",
                                at->source, at->permission);
    if (*path && *path != '/')
        return catalog_sentence(at->arena, PLACE ".HTTP.%s doesn't start with '/': \"%s\"",
                                at->source, at->permission, is_exact ? "PathExact" : "PathPrefix",
                                path);
    return NULL;
}

static const char *header_refusal(const struct place *at, const http_t *http, size_t k)
{
    const header_t *h = http->header[k];
    int matchers = h->present + !!*h->exact + !!*h->prefix + !!*h->suffix + !!*h->regex;
    if (!*h->name)
        return catalog_sentence(at->arena, PLACE ".HTTP.Header[%zu] missing required Name field",
                                at->source, at->permission, k);
    if (matchers != 1)
        return catalog_sentence(at->arena,
                                PLACE ".HTTP.Header[%zu] should only contain one of Present, "
                                      "Exact, Prefix, Suffix, or Regex",
                                at->source, at->permission, k);
    return NULL;
}

static bool is_method(const char *name)
{
    static const char *const methods[] = {"GET",    "HEAD",    "POST",    "PUT",  "PATCH",
                                          "DELETE", "CONNECT", "OPTIONS", "TRACE"};
    for (size_t i = 0; i < CU_COUNT(methods); i++)
        if (strcmp(methods[i], name) == 0)
            return true;
    return false;
}

static const char *method_refusal(const struct place *at, const http_t *http, size_t k)
{
    char *method = http->methods[k];
    for (char *c = method; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    if (!is_method(method))
        return catalog_sentence(at->arena,
                                PLACE ".HTTP.Methods contains an invalid method \"%.64s\"",
                                at->source, at->permission, method);
    for (size_t earlier = 0; earlier < k; earlier++)
        if (strcmp(http->methods[earlier], method) == 0)
            return catalog_sentence(at->arena, PLACE ".HTTP.Methods contains \"%s\" more than once",
                                    at->source, at->permission, method);
    return NULL;
}

static const char *http_refusal(const struct place *at, const http_t *http)
{
    const char *sentence = path_refusal(at, http);
    for (size_t k = 0; !sentence && k < http->n_header; k++)
        sentence = header_refusal(at, http, k);
    for (size_t k = 0; !sentence && k < http->n_methods; k++)
        sentence = method_refusal(at, http, k);
    return sentence;
}

static const char *permission_refusal(const struct place *at,
                                      const Curia__V1__IntentionPermission *permission)
{
    if (!catalog_is_action(permission->action))
        return catalog_sentence(at->arena, PLACE ".Action must be set to 'allow' or 'deny'",
                                at->source, at->permission);
    if (!permission->http)
        return catalog_sentence(at->arena, PLACE ".HTTP is required", at->source, at->permission);
    return http_refusal(at, permission->http);
}

const char *catalog_permissions_refusal(struct cu_arena *arena, const char *destination, size_t at,
                                        const Curia__V1__SourceIntention *source)
{
    const char *sentence = NULL;
    if (strcmp(destination, "*") == 0)
        return catalog_sentence(arena,
                                "Sources[%zu].Permissions cannot be specified on intentions with "
                                "wildcarded destinations",
                                at);
    if (*source->action)
        return catalog_sentence(
            arena, "Sources[%zu].Action must be omitted if Permissions are specified", at);
    if (source->n_permissions > CATALOG_PERMISSIONS_MAX)
        return "too many permissions of one source";
    for (size_t j = 0; !sentence && j < source->n_permissions; j++)
        sentence = permission_refusal(&(struct place){arena, at, j}, source->permissions[j]);
    return sentence;
}
