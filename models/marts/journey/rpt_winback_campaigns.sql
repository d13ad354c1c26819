{%- set share, control_share = '(contacted_back + 1.0e0) / (contacted + 2)', '(control_back + 1.0e0) / (control_targets + 2)' -%}
{%- set error -%}
    1.959964e0 * sqrt(
        {{ share }} * (1 - {{ share }}) / (contacted + 2) + {{ control_share }} * (1 - {{ control_share }}) / (control_targets + 2)
    )
{%- endset -%}
-- Only targets whose time is over are compared: while it runs, those already back would be all that has an outcome, and the rate near 1.
with targets as (
    select
        *,
        window_ends_on < {{ as_of_date() }} as is_decided
    from {{ ref('fct_winback') }}
),

counted as (
    select
        source_relation,
        campaign_id,
        max(campaign_name) as campaign_name,
        min(targeted_on) as first_targeted_on,
        count(*) as targets,
        count(case when not is_decided then 1 end) as open_targets,
        count(case when is_decided and not is_control then 1 end) as contacted,
        count(case when is_decided and not is_control and responded_on is not null then 1 end) as responded,
        count(case when is_decided and not is_control and is_reactivated then 1 end) as contacted_back,
        count(case when is_decided and is_control then 1 end) as control_targets,
        count(case when is_decided and is_control and is_reactivated then 1 end) as control_back,
        sum(case when is_decided and not is_control then regained_mrr_reporting_amount end) as regained_mrr_reporting_amount,
        count(case when is_decided and not is_control then cost_reporting_amount end) as costs_known,
        sum(case when is_decided and not is_control then cost_reporting_amount end) as known_cost
    from targets
    group by source_relation, campaign_id
),

rated as (
    select
        *,
        cast(contacted_back as double) / nullif(contacted, 0) as rate,
        cast(control_back as double) / nullif(control_targets, 0) as control_rate,
        12 * cast(regained_mrr_reporting_amount as double) as regained_arr,
        case when costs_known = contacted then known_cost end as cost_reporting_amount,
        case when costs_known = contacted then nullif(cast(known_cost as double), 0) end as cost
    from counted
),

final as (
    select
        source_relation,
        campaign_id,
        campaign_name,
        first_targeted_on,
        targets,
        open_targets,
        contacted,
        responded,
        contacted_back,
        control_targets,
        control_back,
        {{ to_money('rate') }} as reactivation_rate,
        {{ to_money('control_rate') }} as control_reactivation_rate,
        {{ to_money('rate - control_rate') }} as uplift,
        case
            when contacted > 0 and control_targets > 0
                then {{ to_money('greatest(-1, ' ~ share ~ ' - ' ~ control_share ~ ' - ' ~ error ~ ')') }}
        end as uplift_low,
        case
            when contacted > 0 and control_targets > 0
                then {{ to_money('least(1, ' ~ share ~ ' - ' ~ control_share ~ ' + ' ~ error ~ ')') }}
        end as uplift_high,
        cast(regained_mrr_reporting_amount as decimal(18,4)) as regained_mrr_reporting_amount,
        cast(cost_reporting_amount as decimal(18,4)) as cost_reporting_amount,
        {{ to_money('(regained_arr - cost) / cost') }} as roi,
        {{ to_money('(regained_arr * coalesce((rate - control_rate) / nullif(rate, 0), control_rate * 0) - cost) / cost') }} as roi_against_control,
        cast(case
            when contacted = 0 then 'no outcome is known yet'
            when costs_known between 1 and contacted - 1 then 'not every cost is known'
            when cost is null then 'no cost is known'
            when control_targets = 0 then 'no control group'
        end as string) as unmeasured_because,
        cast('{{ var("run_id") }}' as string) as run_id
    from rated
)

select * from final
