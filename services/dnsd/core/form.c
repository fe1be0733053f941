#include "services/dnsd/core/form.h"

#include <string.h>

#include "common/base/err.h"
#include "services/dnsd/core/wire.h"

struct parts {
    const struct cu_bytes *labels;
    size_t count;
};

static const struct {
    const char *word;
    enum dns_form_kind kind;
} markers[] = {{"service", DNS_FORM_SERVICE}, {"connect", DNS_FORM_CONNECT},
               {"ingress", DNS_FORM_INGRESS}, {"node", DNS_FORM_NODE},
               {"query", DNS_FORM_QUERY},     {"addr", DNS_FORM_ADDR}};

static enum dns_form_kind marker_of(struct cu_bytes label)
{
    for (size_t i = 0; i < CU_COUNT(markers); i++)
        if (cu_bytes_equal(label, cu_bytes_of(markers[i].word)))
            return markers[i].kind;
    return DNS_FORM_NONE;
}

static bool is_underscored(struct cu_bytes label)
{
    return label.len && label.data[0] == '_';
}

static struct cu_bytes without_first(struct cu_bytes label)
{
    return (struct cu_bytes){label.data + 1, label.len - 1};
}

/* The labels with dots between them; a dot within one is escaped, so that it is not one of those.
 */
static struct cu_bytes join(struct parts parts, uint8_t *to)
{
    size_t len = 0;
    if (parts.count == 1 && !memchr(parts.labels[0].data, '.', parts.labels[0].len))
        return parts.labels[0];
    for (size_t i = 0; i < parts.count; i++) {
        if (i)
            to[len++] = '.';
        for (size_t k = 0; k < parts.labels[i].len; k++) {
            if (parts.labels[i].data[k] == '.')
                to[len++] = '\\';
            to[len++] = parts.labels[i].data[k];
        }
    }
    return (struct cu_bytes){to, len};
}

/* [TAG.]SERVICE, or _SERVICE._TAG (RFC 2782), where the tag `tcp` means none. */
static void take_service(struct parts parts, struct dns_form *form)
{
    struct cu_bytes last = parts.labels[parts.count - 1];
    if (parts.count == 2 && is_underscored(parts.labels[0]) && is_underscored(last)) {
        form->name = without_first(parts.labels[0]);
        form->tag = without_first(last);
        if (cu_bytes_equal(form->tag, cu_bytes_of("tcp")))
            form->tag.len = 0;
        return;
    }
    form->name = last;
    form->tag = join((struct parts){parts.labels, parts.count - 1}, form->text);
}

static void take_parts(struct parts parts, struct dns_form *form)
{
    switch (form->kind) {
    case DNS_FORM_NODE:
    case DNS_FORM_QUERY:
        form->name = join(parts, form->text);
        break;
    case DNS_FORM_SERVICE:
        take_service(parts, form);
        break;
    case DNS_FORM_CONNECT:
    case DNS_FORM_INGRESS:
        form->name = parts.labels[parts.count - 1];
        break;
    case DNS_FORM_ADDR:
        form->name = parts.labels[0];
        if (parts.count != 1)
            form->kind = DNS_FORM_NONE;
        break;
    case DNS_FORM_NONE:
        break;
    }
}

void dns_form_parse(const struct dns_name *lower, size_t len, unsigned type, struct dns_form *form)
{
    struct cu_bytes labels[DNS_LABELS];
    size_t count = dns_name_labels(lower, len, labels), at = count, parts = 0;
    form->kind = DNS_FORM_NONE;
    form->tag = form->dc = (struct cu_bytes){0};
    while (at > 0 && form->kind == DNS_FORM_NONE) {
        at--;
        parts = at;
        form->kind = marker_of(labels[at]);
        if (form->kind == DNS_FORM_NONE && type == DNS_SRV && is_underscored(labels[at])) {
            form->kind = DNS_FORM_SERVICE; /* its own last part, and the marker left out */
            parts = at + 1;
        }
    }
    size_t suffixes = count - at - (count > 0);
    if (parts == 0 || suffixes > 1) {
        form->kind = DNS_FORM_NONE;
        return;
    }
    if (suffixes == 1)
        form->dc = labels[count - 1];
    take_parts((struct parts){labels, parts}, form);
}
