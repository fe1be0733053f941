#include "common/tls/spiffe.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME "spiffe://"

enum { TD_CHARS = 8, NAME_CHARS = 43, HALF_CHARS = 15 };

/* ---- parsing ---- */

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Unescapes one part of a path. A NUL or a bad escape is none. */
static enum cu_err take_part(const char *from, size_t len, char to[CU_SPIFFE_PART_BYTES])
{
    size_t out = 0;
    for (size_t i = 0; i < len; i++) {
        char c = from[i];
        if (c == '%') {
            if (len - i < 3 || hex_of(from[i + 1]) < 0 || hex_of(from[i + 2]) < 0)
                return CU_E_INVALID;
            c = (char)(hex_of(from[i + 1]) * 16 + hex_of(from[i + 2]));
            i += 2;
        }
        if (c == '\0')
            return CU_E_INVALID;
        if (out == CU_SPIFFE_PART_BYTES - 1)
            return CU_E_TOO_LARGE;
        to[out++] = c;
    }
    to[out] = '\0';
    return CU_OK;
}

static enum cu_err take_host(const char *from, size_t len, char to[CU_SPIFFE_PART_BYTES])
{
    if (len >= CU_SPIFFE_PART_BYTES)
        return CU_E_TOO_LARGE;
    memcpy(to, from, len);
    to[len] = '\0';
    return CU_OK;
}

/* A path as fixed words and parts: "/ns/?/dc/?/svc/?". */
static enum cu_err match(const char *path, const char *shape, char *parts[], bool *ret_matches)
{
    enum cu_err err = CU_OK;
    size_t at = 0;
    *ret_matches = false;
    while (!err && *shape) {
        if (*shape != '?') {
            if (*shape++ != *path++)
                return CU_OK;
            continue;
        }
        size_t len = strcspn(path, "/");
        if (!len)
            return CU_OK;
        err = take_part(path, len, parts[at++]);
        path += len;
        shape++;
    }
    *ret_matches = !err && *path == '\0';
    return err;
}

static enum cu_err take_path(const char *path, struct cu_spiffe *id, bool *ret_matches)
{
    char *service[] = {id->ns, id->datacenter, id->name};
    char *agent[] = {id->datacenter, id->name};
    id->kind = CU_SPIFFE_SERVICE;
    enum cu_err err = match(path, "/ns/?/dc/?/svc/?", service, ret_matches);
    if (err || *ret_matches)
        return err;
    id->kind = CU_SPIFFE_AGENT;
    id->ns[0] = '\0';
    err = match(path, "/agent/client/dc/?/id/?", agent, ret_matches);
    if (err || *ret_matches)
        return err;
    const char *dot = strchr(id->host, '.');
    *id = (struct cu_spiffe){.kind = CU_SPIFFE_SIGNING};
    *ret_matches = *path == '\0' && dot && dot > id->host;
    return CU_OK;
}

enum cu_err cu_spiffe_parse(const char *uri, struct cu_spiffe *ret_id, struct cu_diag *diag)
{
    struct cu_spiffe id = {.kind = CU_SPIFFE_SERVICE};
    bool matches = false;
    if (strncasecmp(uri, SCHEME, strlen(SCHEME)) != 0)
        return cu_fail(diag, CU_E_INVALID, "SPIFFE ID must have 'spiffe' scheme");
    const char *host = uri + strlen(SCHEME), *path = host + strcspn(host, "/");
    char kept[CU_SPIFFE_PART_BYTES];
    enum cu_err err = take_host(host, (size_t)(path - host), kept);
    if (!err) {
        memcpy(id.host, kept, sizeof kept);
        err = take_path(path, &id, &matches);
        memcpy(id.host, kept, sizeof kept);
    }
    if (err == CU_E_TOO_LARGE)
        return cu_fail(diag, err, "SPIFFE ID has a part of more than %d bytes",
                       CU_SPIFFE_PART_BYTES - 1);
    if (err || !matches || !*id.host)
        return cu_fail(diag, CU_E_INVALID, "SPIFFE ID is not in the expected format: %.300s", uri);
    *ret_id = id;
    return CU_OK;
}

/* ---- formatting ---- */

struct writer {
    char *text;
    size_t len, cap;
    bool is_full;
};

static void put(struct writer *w, const char *text)
{
    size_t len = strlen(text);
    w->is_full = w->is_full || w->len + len >= w->cap;
    if (w->is_full)
        return;
    memcpy(w->text + w->len, text, len + 1);
    w->len += len;
}

static void put_escaped(struct writer *w, const char *text)
{
    for (; *text; text++) {
        char one[4];
        bool plain = isalnum((unsigned char)*text) || strchr("-._~!$&'()*+,;=:@", *text);
        (void)snprintf(one, sizeof one, plain ? "%c" : "%%%02X", (unsigned char)*text);
        put(w, one);
    }
}

enum cu_err cu_spiffe_format(const struct cu_spiffe *id, char uri[CU_SPIFFE_URI_BYTES])
{
    struct writer w = {.text = uri, .cap = CU_SPIFFE_URI_BYTES};
    put(&w, SCHEME);
    put(&w, id->host);
    if (id->kind == CU_SPIFFE_SERVICE) {
        put(&w, "/ns/");
        put_escaped(&w, *id->ns ? id->ns : "default");
        put(&w, "/dc/");
        put_escaped(&w, id->datacenter);
        put(&w, "/svc/");
        put_escaped(&w, id->name);
    } else if (id->kind == CU_SPIFFE_AGENT) {
        put(&w, "/agent/client/dc/");
        put_escaped(&w, id->datacenter);
        put(&w, "/id/");
        put_escaped(&w, id->name);
    }
    return w.is_full ? CU_E_TOO_LARGE : CU_OK;
}

/* ---- common names ---- */

/* Lower-case letters and digits alone, at most `limit` of them. */
static void clean(const char *from, size_t limit, char to[CU_COMMON_NAME_BYTES])
{
    size_t out = 0;
    for (; *from && out < limit && out < CU_COMMON_NAME_BYTES - 1; from++)
        if (isalnum((unsigned char)*from) && (unsigned char)*from < 128)
            to[out++] = (char)tolower((unsigned char)*from);
    to[out] = '\0';
}

void cu_spiffe_common_name(const struct cu_spiffe *id, char name[CU_COMMON_NAME_BYTES])
{
    char td[CU_COMMON_NAME_BYTES], own[CU_COMMON_NAME_BYTES], ns[CU_COMMON_NAME_BYTES];
    clean(id->host, TD_CHARS, td);
    clean(id->name, CU_COMMON_NAME_BYTES, own);
    clean(*id->ns ? id->ns : "default", CU_COMMON_NAME_BYTES, ns);
    if (id->kind != CU_SPIFFE_SERVICE) {
        own[NAME_CHARS] = '\0';
        (void)snprintf(name, CU_COMMON_NAME_BYTES, "%s.agnt.%s.consul", own, td);
        return;
    }
    size_t own_len = strlen(own), ns_len = strlen(ns);
    size_t excess = own_len + ns_len > NAME_CHARS ? own_len + ns_len - NAME_CHARS : 0;
    if (excess && own_len <= HALF_CHARS) {
        ns[ns_len - excess] = '\0';
    } else if (excess && ns_len <= HALF_CHARS) {
        own[own_len - excess] = '\0';
    } else if (excess) {
        size_t half = excess / 2;
        size_t ns_cut = ns_len - half < HALF_CHARS ? ns_len - HALF_CHARS : half;
        size_t own_cut = excess - ns_cut;
        if (own_len - own_cut < HALF_CHARS)
            own_cut = own_len - HALF_CHARS, ns_cut = excess - own_cut;
        ns[ns_len - ns_cut] = own[own_len - own_cut] = '\0';
    }
    (void)snprintf(name, CU_COMMON_NAME_BYTES, "%s.svc.%s.%s.consul", own, ns, td);
}

void cu_ca_common_name(const char *uid, const char *provider, const char *trust_domain,
                       char name[CU_COMMON_NAME_BYTES])
{
    enum { UID_CHARS = 8, PROVIDER_CHARS = 32 };
    char td[CU_COMMON_NAME_BYTES], who[CU_COMMON_NAME_BYTES], id[CU_COMMON_NAME_BYTES];
    clean(trust_domain, TD_CHARS, td);
    clean(provider, PROVIDER_CHARS, who);
    clean(uid, UID_CHARS, id);
    (void)snprintf(name, CU_COMMON_NAME_BYTES, "pri-%s.%s.ca.%s.consul", id, who, td);
}
