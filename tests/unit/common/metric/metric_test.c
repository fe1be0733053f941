#include "common/metric/metric.h"

#include <string.h>

#include "tests/lib/suite.h"

static char order[256];
static struct cu_metric_value last;

static void visit(void *arg, const struct cu_metric_value *value)
{
    const char *wanted = arg;
    strncat(order, value->name, sizeof order - strlen(order) - 2);
    strncat(order, " ", 2);
    if (wanted && !strcmp(wanted, value->name))
        last = *value;
}

static const struct cu_metric_value *find(struct cu_metrics *metrics, char *name)
{
    order[0] = '\0';
    cu_metrics_each(metrics, visit, name);
    return &last;
}

static double five(void *arg)
{
    (void)arg;
    return 5;
}

START_TEST(metrics_come_by_name_each_with_its_kind)
{
    struct cu_metrics *metrics = cu_metrics_new();
    (void)cu_metrics_sample(metrics, "c");
    cu_metrics_gauge(metrics, "a", five, NULL);
    cu_count(cu_metrics_counter(metrics, "b"), 3);
    char b[] = "b", a[] = "a";
    ck_assert(find(metrics, b)->kind == CU_METRIC_COUNTER && last.value > 2.5);
    ck_assert(find(metrics, a)->kind == CU_METRIC_GAUGE && last.value > 4.5);
    ck_assert_str_eq(order, "a b c ");
    ck_assert_str_eq(cu_metric_kind_name(CU_METRIC_SAMPLE), "sample");
    cu_metrics_free(metrics);
}
END_TEST

START_TEST(asking_again_gives_the_same_counter_and_it_stays_where_it_is)
{
    struct cu_metrics *metrics = cu_metrics_new();
    struct cu_counter *first = cu_metrics_counter(metrics, "m");
    for (char name[2] = "a"; name[0] <= 'z'; name[0]++)
        (void)cu_metrics_counter(metrics, name);
    ck_assert_ptr_eq(cu_metrics_counter(metrics, "m"), first);
    cu_metrics_free(metrics);
}
END_TEST

START_TEST(a_sample_keeps_count_sum_least_and_most)
{
    struct cu_metrics *metrics = cu_metrics_new();
    struct cu_sample *sample = cu_metrics_sample(metrics, "s");
    cu_sample_add(sample, 3);
    cu_sample_add(sample, -1);
    cu_sample_add(sample, 4);
    char s[] = "s";
    (void)find(metrics, s);
    ck_assert_uint_eq(last.sample.count, 3);
    ck_assert_double_eq(last.sample.sum, 6);
    ck_assert_double_eq(last.sample.min, -1);
    ck_assert_double_eq(last.sample.max, 4);
    cu_metrics_free(metrics);
}
END_TEST

START_TEST(without_a_registry_counting_goes_nowhere)
{
    cu_count(cu_metrics_counter(NULL, "x"), 1);
    cu_sample_add(cu_metrics_sample(NULL, "x"), 1);
    cu_metrics_gauge(NULL, "x", five, NULL);
    ck_assert_uint_eq(cu_metrics_sample(NULL, "x")->count, 0);
}
END_TEST

SUITE_MAIN("common/metric", metrics_come_by_name_each_with_its_kind,
           asking_again_gives_the_same_counter_and_it_stays_where_it_is,
           a_sample_keeps_count_sum_least_and_most, without_a_registry_counting_goes_nowhere)
