-- The control, quarantine and disclosure tables of the restricted warehouse. dbt reads them as the
-- source "control". Every statement may run again on a warehouse that already has them.

create schema if not exists control;
create schema if not exists quarantine;
create schema if not exists raw;
create schema if not exists in_force;
create schema if not exists protected;

create table if not exists control.deliveries (
    delivery_id integer primary key,
    source varchar not null,
    quarter date not null,
    version integer not null,
    state varchar not null check (state in ('loaded', 'refused')),
    nature varchar not null check (nature in ('real', 'synthetic')),
    note varchar,
    content_sha256 varchar not null,
    received_at timestamp,
    loaded_at timestamp not null,
    rows_delivered bigint not null,
    rows_loaded bigint not null,
    rows_refused bigint not null,
    reason varchar,
    check (rows_delivered = rows_loaded + rows_refused),
    unique (source, quarter, version)
);

create table if not exists control.files (
    file_id integer primary key,
    delivery_id integer not null,
    file_name varchar not null,
    bytes bigint not null,
    sha256 varchar not null,
    header_lines integer not null,
    rows_delivered bigint not null,
    rows_loaded bigint not null,
    rows_refused bigint not null
);

-- What the landing zone looked like when it was last read, so that unchanged files are not re-read.
create table if not exists control.landing_index (
    source varchar not null,
    quarter date not null,
    file_name varchar not null,
    bytes bigint not null,
    mtime_ns bigint not null,
    sha256 varchar not null,
    ctime_ns bigint,
    inode ubigint
);
-- An earlier version did not keep these two; its files are hashed once more.
alter table control.landing_index add column if not exists ctime_ns bigint;
alter table control.landing_index add column if not exists inode ubigint;

-- What each delivery covers, by the series as it was delivered; name is the part of the series that
-- is matched to the served names. ingest/checking/coverage.py says what the roles mean.
create table if not exists control.coverage (
    source varchar not null,
    series varchar not null,
    name varchar not null,
    period date not null,
    delivery_id integer not null,
    role varchar not null check (role in ('covers', 'history', 'late rows', 'left out')),
    row_count bigint not null
);

-- Each series as it was delivered and as it is known here, as at control.refresh: names are matched
-- without regard to capitals and white space.
create table if not exists control.series (
    source varchar not null,
    delivered_series varchar not null,
    series varchar not null,
    served_name varchar not null,
    is_served boolean not null
);

-- How full a delivery is: rows (column_name empty) and filled cells, by period and place.
create table if not exists control.profile (
    delivery_id integer not null,
    series varchar not null,
    period date not null,
    place varchar not null,
    column_name varchar not null,
    filled bigint not null
);

-- Anomalies of the deliveries in force, as at control.refresh.
create table if not exists control.anomalies (
    source varchar not null,
    quarter date not null,
    version integer not null,
    series varchar not null,
    period date not null,
    rule varchar not null,
    subject varchar not null,
    message varchar not null
);

-- Anomalies that somebody looked into and accepted. Rows are only ever added.
create table if not exists control.acceptances (
    source varchar not null,
    quarter date not null,
    version integer not null,
    rule varchar not null,
    period date,
    reason varchar not null,
    accepted_by varchar not null,
    accepted_at timestamp not null
);

-- Restricted editions that were made: of which quarter and for whom, by whom and when. Rows are only
-- ever added.
create table if not exists control.restricted_exports (
    quarter date not null,
    csp varchar not null,
    made_by varchar not null,
    made_at timestamp not null
);

-- Which quarter the warehouse is being built as at. One row.
create table if not exists control.refresh (
    as_at date not null,
    quarter_end date not null
);

-- Which delivery is in force for which period as at control.refresh; resolved before dbt runs. Late
-- rows of other deliveries are in force beside the delivery that covers their period.
create table if not exists control.in_force (
    source varchar not null,
    series varchar not null,
    period date not null,
    delivery_id integer not null,
    quarter date not null,
    version integer not null,
    nature varchar not null,
    delivery varchar not null,
    delivered_series varchar not null,
    served_name varchar not null,
    role varchar not null check (role in ('covers', 'late rows')),
    row_count bigint not null
);

-- What became of each correction of the reviewed file as at control.refresh.
create table if not exists control.corrections_applied (
    correction integer not null,
    source varchar not null,
    quarter date,
    version integer,
    period date,
    key_json varchar not null,
    column_name varchar not null,
    expected varchar not null,
    corrected varchar not null,
    rows_corrected bigint not null,
    state varchar not null check (state in ('applied', 'not delivered yet', 'superseded')),
    reason varchar not null,
    source_of_truth varchar not null,
    author varchar not null,
    dated date not null
);

-- The partnerships that this warehouse serves (from the partnerships file), a row a district.
create table if not exists control.partnership_areas (
    csp varchar not null,
    csp_name varchar not null,
    district_code varchar not null,
    district_name varchar not null,
    force_code varchar not null,
    force_name varchar not null,
    force_area_name varchar not null
);
-- Code of the area that the partnership's figures are about; null without a partnership.
alter table control.partnership_areas add column if not exists partnership_code varchar;

-- Districts that the partnerships file lists to compare a partnership with, in its order.
create table if not exists control.partnership_similar_districts (
    area_code varchar not null,
    district_code varchar not null,
    list_position integer not null
);

-- Youth offending services, prisons, towns and forms of numbers that the partnerships file names.
create table if not exists control.partnership_youth_services (
    youth_offending_service varchar not null,
    district_code varchar not null
);

create table if not exists control.partnership_prisons (
    prison varchar not null,
    prison_group varchar not null,
    force_code varchar not null
);

create table if not exists control.partnership_towns (
    town varchar not null,
    area_code varchar not null,
    district_code varchar not null,
    print_order integer not null
);

create table if not exists control.partnership_small_areas (
    town_area_code varchar not null,
    small_area_code varchar not null
);

create table if not exists control.partnership_surveys (
    survey varchar not null,
    district_code varchar not null
);

create table if not exists control.partnership_number_formats (
    source varchar not null,
    column_name varchar not null,
    served_name varchar not null,
    pattern varchar not null,
    form varchar not null
);

-- Deliveries with faults by a rule of the partnerships file, and a fingerprint of what it had then:
-- where it has something else by now, the same files are checked again.
create table if not exists control.configured_faults (
    delivery_id integer not null,
    configured_sha256 varchar not null
);

-- Deliveries whose rows about people were deleted after their retention period: they stay on record,
-- are in force for no period, and the same files are not loaded again.
create table if not exists control.purges (
    delivery_id integer not null,
    before_quarter date not null,
    purged_at timestamp not null
);

-- Which key the pseudonyms of the raw tables were made with: a fingerprint, never the key. One row.
create table if not exists control.pseudonym_key (
    fingerprint varchar not null
);

create table if not exists quarantine.refused_rows (
    delivery_id integer not null,
    file_id integer not null,
    line bigint,
    sheet varchar,
    column_name varchar,
    value varchar,
    rule varchar not null,
    message varchar not null
);

-- What the attack on a quarter's protected tables found, and which quarter's tables are in place.
create table if not exists control.disclosure (
    quarter date primary key,
    in_place boolean not null,
    tables integer not null,
    cells integer not null,
    sensitive integer not null,
    hidden integer not null,
    merged integer not null,
    findings integer not null,
    narrowest_interval bigint,
    information_lost bigint not null,
    solver_gap double not null,
    seconds double not null,
    hidden_after_attack integer
);
-- Hidden beside the choice, since the attack worked out a count all the same. Unknown for a quarter
-- of an earlier version.
alter table control.disclosure add column if not exists hidden_after_attack integer;
-- Tables of people that were rounded, and their counts that are shown with another value.
alter table control.disclosure add column if not exists rounded_tables integer;
alter table control.disclosure add column if not exists rounded_counts integer;

-- Small counts that earlier releases give away, so that nothing protects them any more.
alter table control.disclosure add column if not exists still_readable integer;

-- What was hidden and merged last time, by the checksum of what it was chosen from: one row for each
-- try. A count that no choice protects is named, and the row has no choice.
drop table if exists control.disclosure_choices;
create table if not exists control.hiding_choices (
    quarter date,
    input_sha256 varchar,
    hidden varchar not null,
    merged varchar not null,
    cost bigint not null,
    bound bigint not null,
    unprotected varchar,
    primary key (quarter, input_sha256)
);

-- Of what each set of linked rounded tables in schema protected was made, as a keyed checksum, and
-- the outcome as JSON: one row for each set, or none while it is being written.
create table if not exists control.rounding (
    input_sha256 varchar primary key,
    outcome varchar not null
);

-- What each rounded table names (counts, sums, groups), as numbers of eight bytes, and a keyed
-- checksum of the rows that it follows from: tables that name nothing in common are no linked ones.
create table if not exists control.rounding_names (
    table_name varchar primary key,
    input_sha256 varchar not null,
    names blob not null
);

-- Tables that were withheld from a quarter's release, and why.
create table if not exists control.withheld_tables (
    quarter date,
    table_name varchar,
    reason varchar not null,
    primary key (quarter, table_name)
);

-- The true counts of the builds that were published, with what each shows: the next build is
-- protected beside all of them. Counts, not rows of persons: a purge leaves them.
create table if not exists control.published_counts (
    quarter date,
    printed_md5 varchar,
    ordinal integer not null,
    published boolean not null,
    tables varchar not null,
    model varchar not null,
    primary key (quarter, printed_md5)
);

-- The same of the tables that are rounded: what each build shows, as compressed JSON.
create table if not exists control.published_roundings (
    quarter date,
    printed_md5 varchar,
    ordinal integer not null,
    published boolean not null,
    tables varchar not null,
    model blob not null,
    primary key (quarter, printed_md5)
);

-- The checksum of what a release prints of a set of tables; none where it does not hold them.
create table if not exists control.release_prints (
    quarter date,
    built_at timestamp,
    content_digest varchar,
    tables varchar,
    printed_md5 varchar,
    primary key (quarter, built_at, content_digest, tables)
);

-- The last build of the models that ended well. At most one row; dbt empties the table before it
-- touches a model.
create table if not exists control.last_build (
    fingerprints varchar,
    built_at timestamp,
    row_counts varchar,
    warned varchar
);
