{#
  An amount of Stripe's in major units. Stripe counts in a currency's smallest unit: 1999 is 19.99 USD, 1999 JPY, 1.999 KWD. Expects
  the seed `currencies` joined on the row's currency; a currency that is not there gives NULL, which nothing can sum.
  Decimal by decimal, so nothing is rounded. Stripe departs from ISO 4217 for three currencies.
#}
{% macro from_minor_units(amount) -%}
    cast({{ _in_major_units('cast(' ~ amount ~ ' as decimal(18,0))') }} as decimal(18,4))
{%- endmacro %}

{#
  A price of one unit in major units, from the field with fractions where there is one. A price that is finer than the contract's
  four decimals is NULL rather than rounded: times a thousand seats, what was rounded would be money.
#}
{% macro unit_price(amount, amount_decimal) -%}
    {%- set price = _in_major_units('cast(coalesce(' ~ amount_decimal ~ ', ' ~ amount ~ ') as decimal(24,12))') -%}
    case when {{ price }} = cast({{ price }} as decimal(18,4)) then cast({{ price }} as decimal(18,4)) end
{%- endmacro %}

{% macro _in_major_units(amount) -%}
    {{ amount }} * case
        case currencies.currency when 'ISK' then 2 when 'UGX' then 2 when 'MGA' then 0 else currencies.minor_unit_exponent end
        when 0 then cast(1 as decimal(4,3))
        when 2 then cast(0.01 as decimal(4,3))
        when 3 then cast(0.001 as decimal(4,3))
    end
{%- endmacro %}

{#
  The exact product of two amounts of decimal(18,4). DuckDB keeps a product of two such numbers within 18 digits, which 150,000 rupiah for
  each of 100,000 seats do not fit in; one digit more on one side, and it takes 38.
#}
{% macro multiply_money(amount, quantity) -%} cast({{ amount }} as decimal(19,4)) * {{ quantity }} {%- endmacro %}
