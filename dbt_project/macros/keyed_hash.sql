{#
  A stand-in for a person's address in what BI reads: the same for the same address, of no use without the key. Nested SHA-256,
  as in HMAC. The key (CSW_PII_KEY) reaches the engine as a session variable through profiles.yml, so no compiled
  statement, artifact or log holds it.
#}
{% macro keyed_hash(column) %}{{ return(adapter.dispatch('keyed_hash')(column)) }}{% endmacro %}
{% macro default__keyed_hash(column) -%}
    sha256(getvariable('pii_key') || '|outer|' || sha256(getvariable('pii_key') || '|inner|' || {{ column }}))
{%- endmacro %}
{% macro spark__keyed_hash(column) -%}
    sha2(concat('${csw.pii_key}', '|outer|', sha2(concat('${csw.pii_key}', '|inner|', {{ column }}), 256)), 256)
{%- endmacro %}
