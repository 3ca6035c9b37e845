// Chooses, draws, lists and saves the figures that lie in the page. Texts get into the page as texts only.
(() => {
  'use strict';
  const data = JSON.parse(document.getElementById('data').textContent);
  if (!data.subjects.length) return;

  const MOST_AREAS = 6;
  const FEW_PERIODS = 8;
  const KINDS = {
    month: 'Months', quarter: 'Quarters', calendar_year: 'Calendar years',
    financial_year: 'Financial years', snapshot: 'Days of the count', half_year: 'Half-years',
  };
  const FONT = 'Arial, Liberation Sans, Helvetica, sans-serif';
  const areas = new Map(data.areas.map((area) => [area.code, area]));
  const decoded = new Map();
  const part = (id) => document.getElementById(id);

  // --- the figures ----------------------------------------------------------------------------

  function rowsOf(columns) {
    if (!decoded.has(columns)) {
      const lists = Object.entries(columns).map(([name, list]) => [
        name, Array.isArray(list) ? list : list.places.map((place) => list.values[place]),
      ]);
      decoded.set(columns, lists[0][1].map((_, row) => (
        Object.fromEntries(lists.map(([name, list]) => [name, list[row]]))
      )));
    }
    return decoded.get(columns);
  }

  const distinct = (values) => [...new Set(values)];
  const subjectOf = (state) => data.subjects.find((one) => one.name === state.subject) || data.subjects[0];
  const measureOf = (state) => {
    const { measures } = subjectOf(state);
    return measures.find((one) => one.column === state.measure) || measures[0];
  };
  const compared = (state) => (state.view === 'values' ? subjectOf(state).choices.at(-1) : null);
  const isMap = (state) => state.view === 'map';

  function matching(state, columns) {
    return rowsOf(subjectOf(state).columns).filter((row) => (
      columns.every((column) => row[column] === state.choices[column])
    ));
  }

  // Give every choice a value that the figures have, in the order of the choices.
  function settled(asked) {
    const subject = subjectOf(asked);
    const state = { ...asked, subject: subject.name, choices: {}, options: {} };
    const views = viewsOf(subject).map(([name]) => name);
    if (!views.includes(state.view)) [state.view] = views;
    state.measure = measureOf(state).column;
    const chosen = [];
    for (const choice of subject.choices) {
      if (choice === compared(state)) continue;
      const options = distinct(matching(state, chosen).map((row) => row[choice.column]));
      const wanted = [asked.choices[choice.column], choice.first, options[0]];
      state.choices[choice.column] = wanted.find((value) => options.includes(value));
      state.options[choice.column] = options;
      chosen.push(choice.column);
    }
    const found = matching(state, chosen);
    const kinds = subject.kind ? distinct(found.map((row) => row[subject.kind])) : [''];
    state.kind = kinds.includes(asked.kind) ? asked.kind : kinds[0];
    state.kinds = kinds;
    const ofKind = found.filter((row) => !subject.kind || row[subject.kind] === state.kind);
    const labels = new Map(ofKind.map((row) => [row[subject.start], String(row[subject.label])]));
    state.periods = [...labels].sort(([one], [other]) => (one < other ? -1 : 1));
    const starts = state.periods.map(([start]) => start);
    state.period = starts.includes(asked.period) ? asked.period : starts.at(-1);
    const known = new Set(ofKind.map((row) => row.area_code));
    state.offered = data.areas.filter((area) => known.has(area.code));
    const offered = state.offered.map((area) => area.code);
    state.areas = asked.areas.filter((code) => offered.includes(code)).slice(0, MOST_AREAS);
    if (!state.areas.length) {
      const first = state.offered.filter((area) => area.chosen).map((area) => area.code);
      state.areas = first.length ? first : offered.slice(0, 1);
    }
    if (!asked.measure) state.measure = firstMeasure(subject, ofKind, state);
    state.rows = ofKind.filter((row) => state.areas.includes(row.area_code)
      && (state.view === 'time' || row[subject.start] === state.period));
    return state;
  }

  // Until somebody chooses: the first figure that the latest period has for the first area.
  function firstMeasure(subject, rows, state) {
    const latest = rows.filter((row) => row.area_code === state.areas[0] && row[subject.start] === state.periods.at(-1)[0]);
    const known = subject.measures.find((one) => latest.some((row) => row[one.column] !== null));
    return (known || subject.measures[0]).column;
  }

  function viewsOf(subject) {
    const views = [['time', 'Over time']];
    if (subject.choices.length) views.push(['values', `By ${subject.choices.at(-1).label.toLowerCase()}`]);
    if (data.map && subject.choices.some((choice) => choice.column === 'crime_type')) views.push(['map', 'Map of small areas']);
    return views;
  }

  // What is drawn, listed and saved: one entry for each area and period, or area and value.
  function drawn(state) {
    const subject = subjectOf(state);
    const measure = measureOf(state);
    if (isMap(state)) {
      const counts = rowsOf(data.map.columns).filter((row) => row.crime_type === state.choices.crime_type);
      const names = new Map(data.map.places.map((place) => [place.code, place.name]));
      return counts.map((row) => ({ ...row, name: names.get(row.code) }))
        .sort((one, other) => other.offences - one.offences);
    }
    const against = compared(state);
    const found = state.rows.map((row) => ({
      code: row.area_code,
      area: areas.get(row.area_code).name,
      start: row[subject.start],
      period: String(row[subject.label]),
      heading: against ? row[against.column] : String(row[subject.label]),
      value: row[measure.column],
      lower: measure.lower ? row[measure.lower] : null,
      upper: measure.upper ? row[measure.upper] : null,
      status: row.status,
      shown: shownValue(row, measure),
    }));
    if (!against || !against.largest_first) return found;
    const own = new Map(found.filter((one) => one.code === state.areas[0]).map((one) => [one.heading, one.value ?? -1]));
    return found.sort((one, other) => (own.get(other.heading) ?? -1) - (own.get(one.heading) ?? -1));
  }

  // A marker either says why there is no value, or qualifies one.
  function shownValue(row, measure) {
    const value = row[measure.column];
    const markers = (row.status || '').split(' ').filter(Boolean);
    if (value === null) return markers.find((one) => data.explains.includes(one)) || '[x]';
    const text = (measure.share ? value * 100 : value).toLocaleString('en-GB', {
      minimumFractionDigits: measure.decimals, maximumFractionDigits: measure.decimals,
    });
    return [text, ...markers.filter((one) => !data.explains.includes(one))].join(' ');
  }

  // --- the chart ------------------------------------------------------------------------------

  function colourScale(state) {
    const names = state.areas.map((code) => areas.get(code).name);
    return { domain: names, range: names.map((_, at) => data.colours[at % data.colours.length]) };
  }

  const format = (measure) => `,.${measure.decimals}${measure.share ? '%' : 'f'}`;
  const scaled = (measure, field = 'value') => ({
    field, type: 'quantitative', title: measure.label, scale: { zero: true }, axis: measure.share ? { format: '.0%' } : {},
  });

  function tooltip(measure) {
    const limits = [{ field: 'lower', title: 'Lower limit', format: format(measure) },
      { field: 'upper', title: 'Upper limit', format: format(measure) }];
    return [{ field: 'area', title: 'Area' }, { field: 'heading', title: ' ' },
      { field: 'shown', title: measure.label }, ...(measure.lower ? limits : [])];
  }

  const hasLimits = (values) => values.some((one) => one.lower !== null);

  function overTime(state, values) {
    const measure = measureOf(state);
    const first = areas.get(state.areas[0]).name;
    const x = { field: 'start', type: 'temporal', title: null, axis: { format: '%b %Y', tickCount: 8, labelOverlap: true } };
    const y = scaled(measure);
    const band = {
      transform: [{ filter: { field: 'area', equal: first } }],
      mark: { type: 'area', opacity: 0.15, color: data.colours[0] },
      encoding: { x, y: scaled(measure, 'lower'), y2: { field: 'upper' } },
    };
    const line = {
      mark: { type: 'line', point: { size: 28 }, strokeWidth: 2 },
      encoding: {
        x, y, tooltip: tooltip(measure),
        color: { field: 'area', type: 'nominal', scale: colourScale(state), legend: null },
        strokeDash: { field: 'area', type: 'nominal', scale: { domain: colourScale(state).domain }, legend: null },
      },
    };
    return { data: { name: 'figures', values }, layer: hasLimits(values) ? [band, line] : [line] };
  }

  function asBars(state, values) {
    const measure = measureOf(state);
    const order = distinct(values.map((one) => one.heading));
    const flat = order.length > 4 || state.view === 'values';
    const [place, offset, length] = flat ? ['y', 'yOffset', 'x'] : ['x', 'xOffset', 'y'];
    const scale = colourScale(state);
    const places = {
      [place]: { field: 'heading', type: 'nominal', sort: order, title: null, axis: { labelAngle: 0, labelLimit: 220 } },
      [offset]: { field: 'area', type: 'nominal', scale: { domain: scale.domain } },
    };
    const bar = {
      mark: { type: 'bar' },
      encoding: {
        ...places, tooltip: tooltip(measure),
        [length]: scaled(measure),
        color: { field: 'area', type: 'nominal', scale, legend: null },
      },
    };
    const limits = {
      mark: { type: 'rule', strokeWidth: 1.5, color: '#1a1a1a' },
      encoding: {
        ...places, [length]: scaled(measure, 'lower'), [`${length}2`]: { field: 'upper' },
      },
    };
    const height = flat ? Math.max(160, order.length * (14 + 12 * state.areas.length)) : 320;
    return { height, data: { name: 'figures', values }, layer: hasLimits(values) ? [bar, limits] : [bar] };
  }

  // Degrees are drawn as they are, a degree of longitude as long as it is at this latitude.
  function flattened(geometry, scale) {
    const walk = (one) => (typeof one[0] === 'number' ? [one[0] * scale, one[1]] : one.map(walk));
    return { type: geometry.type, coordinates: walk(geometry.coordinates) };
  }

  function asMap(state, values) {
    const counts = new Map(values.map((row) => [row.code, row]));
    const latitude = data.map.places[0].boundary.coordinates.flat(5)[1];
    const scale = Math.cos((latitude * Math.PI) / 180);
    const shapes = data.map.places.filter((place) => counts.has(place.code)).map((place) => ({
      type: 'Feature', geometry: flattened(place.boundary, scale), ...counts.get(place.code),
    }));
    return {
      height: 420,
      projection: { type: 'identity', reflectY: true },
      data: { name: 'figures', values: shapes },
      mark: { type: 'geoshape', strokeWidth: 1 },
      encoding: {
        color: { field: 'offences', type: 'quantitative', scale: { scheme: 'blues', type: 'quantile' }, title: 'Offences', legend: { orient: 'bottom' } },
        stroke: { condition: { test: "datum.verdict === 'hot spot'", value: '#f46a25' }, value: '#8a8f92' },
        strokeWidth: { condition: { test: "datum.verdict === 'hot spot'", value: 3 }, value: 0.5 },
        tooltip: [{ field: 'name', title: 'Small area' }, { field: 'offences', title: 'Offences' },
          { field: 'rank_in_force', title: 'Place in the force' }, { field: 'verdict', title: 'Hot spot' }],
      },
    };
  }

  function specification(state, values) {
    const few = state.periods.length <= FEW_PERIODS;
    const made = isMap(state) ? asMap(state, values)
      : (state.view === 'values' || few ? asBars : overTime)(state, values);
    return {
      $schema: 'https://vega.github.io/schema/vega-lite/v6.json', width: 'container', height: 320,
      autosize: { type: 'fit', contains: 'padding', resize: true }, ...made,
      config: { font: FONT, axis: { labelFontSize: 12, titleFontSize: 12 }, view: { stroke: null } },
    };
  }

  // --- the words, the table, the file ---------------------------------------------------------

  function heading(state) {
    const subject = subjectOf(state);
    const chosen = Object.values(state.choices);
    const what = isMap(state) ? 'offences of twelve months by small area' : measureOf(state).label;
    const period = state.view === 'values' ? [new Map(state.periods).get(state.period)] : [];
    return [subject.title, ...chosen, what, ...period].join(', ');
  }

  function sentence(state, values) {
    if (isMap(state)) {
      const top = values.slice(0, 3).map((row) => `${row.name} (${row.offences.toLocaleString('en-GB')})`);
      const hot = values.filter((row) => row.verdict === 'hot spot').length;
      return `${values.length} small areas, ${values.length ? values[0].period_label : ''}. The most offences: ${top.join(', ')}. Hot spots: ${hot}.`;
    }
    const missing = values.filter((one) => one.value === null);
    const own = values.filter((one) => one.code === state.areas[0]);
    const last = state.view === 'time' ? own.at(-1) : own[0];
    const counted = `${values.length} figures`;
    const gaps = missing.length
      ? `, of which ${missing.length} ${missing.length === 1 ? 'is' : 'are'} hidden or not available (${distinct(missing.map((one) => one.shown)).join(', ')})` : '';
    return `${counted}${gaps}. ${last ? `${last.area}, ${last.heading}: ${last.shown}.` : ''}`;
  }

  function element(name, text, attributes = {}) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
    return made;
  }

  function listed(state, values) {
    if (isMap(state)) {
      return {
        headings: ['Small area', 'Offences', 'Place in the force', 'Hot spot'],
        rows: values.map((row) => [row.name, row.offences.toLocaleString('en-GB'), String(row.rank_in_force ?? '[x]'), row.verdict || '[x]']),
      };
    }
    const cells = new Map(values.map((one) => [`${one.heading}\n${one.code}`, one.shown]));
    const newestFirst = distinct(values.map((one) => one.heading));
    if (state.view === 'time') newestFirst.reverse();
    return {
      headings: [compared(state) ? compared(state).label : 'Period', ...state.areas.map((code) => areas.get(code).name)],
      rows: newestFirst.map((row) => [row, ...state.areas.map((code) => cells.get(`${row}\n${code}`) ?? '[x]')]),
    };
  }

  function showTable(state, values) {
    const { headings, rows } = listed(state, values);
    const head = element('tr');
    headings.forEach((text, at) => head.append(element('th', text, { scope: 'col', ...(at ? { class: 'n' } : {}) })));
    const body = element('tbody');
    for (const row of rows) {
      const line = element('tr');
      row.forEach((text, at) => line.append(at ? element('td', text, { class: 'n' }) : element('th', text, { scope: 'row' })));
      body.append(line);
    }
    const top = element('thead');
    top.append(head);
    part('table').replaceChildren(element('caption', heading(state)), top, body);
  }

  function showNotes(state, values) {
    const subject = subjectOf(state);
    const measure = measureOf(state);
    const statuses = values.map((one) => one.shown || '').join(' ');
    const notes = Object.entries(data.shorthand).filter(([marker]) => statuses.includes(marker))
      .map(([marker, meaning]) => `${marker} ${meaning}.`);
    if (!isMap(state) && hasLimits(values)) {
      notes.push(state.view === 'time' && state.periods.length > FEW_PERIODS
        ? `The band has the ${measure.limits} of ${areas.get(state.areas[0]).name}.` : `The lines have the ${measure.limits}.`);
    }
    const written = isMap(state) ? [data.map.note] : [measure.note, subject.description, ...subject.notes];
    const source = `Source: ${subject.sources.join('; ') || 'not named'}.`;
    part('notes').replaceChildren(...[...notes, ...written, source].map((text) => element('li', text)));
  }

  function csv(state, values) {
    const choices = subjectOf(state).choices.filter((one) => one !== compared(state));
    const measure = measureOf(state);
    const source = subjectOf(state).sources.join('; ');
    const lines = isMap(state)
      ? [['small_area_code', 'small_area_name', 'crime_type', 'period', 'offences', 'rank_in_force', 'verdict', 'source'],
        ...values.map((row) => [row.code, row.name, row.crime_type, row.period_label, row.offences, row.rank_in_force, row.verdict, source])]
      : [['area_code', 'area_name', ...choices.map((one) => one.column), ...(compared(state) ? [compared(state).column] : []),
        'period_start', 'period', measure.column, ...(measure.lower ? [measure.lower, measure.upper] : []), 'status', 'source'],
      ...values.map((one) => [one.code, one.area, ...choices.map((choice) => state.choices[choice.column]),
        ...(compared(state) ? [one.heading] : []), one.start, one.period, one.value,
        ...(measure.lower ? [one.lower, one.upper] : []), one.status, source])];
    return `${lines.map((line) => line.map(csvCell).join(',')).join('\r\n')}\r\n`;
  }

  // A spreadsheet would run a text that begins like a formula.
  function csvCell(value) {
    if (value === null || value === undefined) return '';
    if (typeof value === 'number') return String(value);
    const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }

  function save(state, values) {
    const link = element('a', undefined, {
      href: URL.createObjectURL(new Blob(['\ufeff', csv(state, values)], { type: 'text/csv' })),
      download: `${heading(state).toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '')}.csv`,
    });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // --- the choices ----------------------------------------------------------------------------

  function select(id, label, options, chosen, changed) {
    const made = element('select', undefined, { id });
    for (const [value, text] of options) made.append(new Option(text, value, false, value === chosen));
    made.addEventListener('change', () => changed(made.value));
    const named = element('label', label, { for: id });
    named.append(made);
    return named;
  }

  function tick(type, name, text, checked, changed, colour) {
    const made = element('input', undefined, { type, name });
    made.checked = checked;
    made.addEventListener('change', () => changed(made.checked));
    const named = element('label');
    named.append(made);
    if (colour) named.append(element('span', undefined, { class: 'key', style: `background:${colour}` }));
    named.append(text);
    return named;
  }

  function showChoices(state) {
    const subject = subjectOf(state);
    const focused = document.activeElement && document.activeElement.id;
    const same = (text) => [text, text];
    const selects = [select('subject', 'Subject', data.subjects.map((one) => [one.name, one.title]), subject.name, (value) => show({ ...state, subject: value, choices: {}, measure: '', kind: '', period: '' }))];
    for (const choice of subject.choices) {
      if (state.options[choice.column]) {
        selects.push(select(choice.column, choice.label, state.options[choice.column].map(same), state.choices[choice.column], (value) => show({ ...state, choices: { ...state.choices, [choice.column]: value } })));
      }
    }
    if (!isMap(state)) {
      selects.push(select('measure', 'Figure', subject.measures.map((one) => [one.column, one.label]), state.measure, (value) => show({ ...state, measure: value })));
      if (state.kinds.length > 1) selects.push(select('kind', 'Periods', state.kinds.map((kind) => [kind, KINDS[kind] || kind]), state.kind, (value) => show({ ...state, kind: value })));
      if (state.view === 'values') selects.push(select('period', 'Period', [...state.periods].reverse(), state.period, (value) => show({ ...state, period: value })));
    }
    part('selects').replaceChildren(...selects);
    part('views').replaceChildren(element('legend', 'Show'), ...viewsOf(subject).map(([view, text]) => (
      tick('radio', 'view', text, state.view === view, () => show({ ...state, view })))));
    part('areas').hidden = isMap(state);
    part('areas').replaceChildren(element('legend', `Areas (at most ${MOST_AREAS})`), ...state.offered.map((area) => {
      const at = state.areas.indexOf(area.code);
      const label = tick('checkbox', 'area', area.name, at >= 0, (on) => show({ ...state, areas: on ? [...state.areas, area.code] : state.areas.filter((code) => code !== area.code) }), at >= 0 ? data.colours[at] : '');
      const box = label.querySelector('input');
      box.id = `area-${area.code}`;
      box.disabled = at < 0 && state.areas.length >= MOST_AREAS;
      return label;
    }));
    if (focused && part(focused)) part(focused).focus();
  }

  // --- the address ----------------------------------------------------------------------------

  function asked() {
    const named = new URLSearchParams(location.hash.slice(1));
    const choices = Object.fromEntries([...named].filter(([name]) => name.startsWith('by.')).map(([name, value]) => [name.slice(3), value]));
    return {
      subject: named.get('subject') || '', measure: named.get('measure') || '', kind: named.get('kind') || '',
      period: named.get('period') || '', view: named.get('view') || 'time', areas: (named.get('areas') || '').split(',').filter(Boolean), choices,
    };
  }

  function address(state) {
    const named = new URLSearchParams({ subject: state.subject, view: state.view, measure: state.measure, kind: state.kind, areas: state.areas.join(',') });
    if (state.view === 'values') named.set('period', state.period);
    for (const [name, value] of Object.entries(state.choices)) named.set(`by.${name}`, value);
    return `#${named}`;
  }

  let shownNow = null;

  async function show(wanted) {
    const state = settled(wanted);
    const values = drawn(state);
    showChoices(state);
    part('shown').textContent = heading(state);
    part('said').textContent = sentence(state, values);
    part('chart').setAttribute('aria-label', `Chart. ${heading(state)}. ${sentence(state, values)} The table below has every figure.`);
    showTable(state, values);
    showNotes(state, values);
    history.replaceState(null, '', address(state));
    part('save').onclick = () => save(state, values);
    const turn = {};
    shownNow = turn;
    if (!isMap(state) && values.every((one) => one.value === null)) {
      part('chart').replaceChildren(element('p', 'None of these figures can be shown; the table says why.'));
      window.explore = { state, values, view: null };
      return;
    }
    const made = await window.vegaEmbed(part('chart'), specification(state, values), { actions: false, renderer: 'svg' });
    if (shownNow === turn) window.explore = { state, values, view: made.view };
  }

  part('explore').hidden = false;
  window.addEventListener('hashchange', () => show(asked()));
  show(asked());
})();
