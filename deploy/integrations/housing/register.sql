-- A bed register, as far as Waymark needs one: a house with a register of its own finds here what that must be able
-- to do. Load it into an empty database as its owner:
--
--   psql --single-transaction --set node_role=waymark --file register.sql beds
--
-- Two write to it. The node writes what was asked (`stays`, the columns up to `advice`); the house writes what it
-- answers (`stays`, from `step` on), its beds, and the stays that came another way, which have no referral.
\set ON_ERROR_STOP on

-- What the house offers in the directory.
CREATE TABLE services (
  -- As `waymark directory --json` shows it.
  service_id text PRIMARY KEY,
  code integer NOT NULL,
  -- There is a waiting list when all is taken.
  waiting_list boolean NOT NULL DEFAULT false,
  -- Ids of the conditions that go with each offer.
  conditions text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE stays (
  stay_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- By what the node tells its stays. NULL: it came another way.
  referral_key text UNIQUE CHECK (referral_key ~ '^[0-9a-f]{32}$'),
  service_id text NOT NULL REFERENCES services,
  state text NOT NULL DEFAULT 'ACCEPTED',
  takes_bed boolean NOT NULL DEFAULT true,
  urgency text,
  answer_by timestamptz,
  quantity integer NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 999),
  -- At least so many; NULL when nothing was said.
  people integer,
  adults text,
  children text,
  step_free boolean NOT NULL DEFAULT false,
  arrive_from timestamptz,
  arrive_until timestamptz,
  nights integer,
  language text,
  name_on_the_door text,
  -- How staff should behave, in codes.
  advice jsonb,

  step text CHECK (step IN ('offered', 'waiting', 'refused', 'expected', 'arrived', 'staying', 'left', 'left_early',
                            'not_come')),
  -- With 'offered': from when, and until when it is held.
  free_from timestamptz,
  held_until timestamptz,
  -- With 'refused': see the mapping housing-in.jq.
  reason text,
  -- With 'expected'.
  expected_from timestamptz,
  expected_until timestamptz,
  -- With 'waiting' and 'staying': the day on which it is looked at again.
  review_on date
);

-- A bed, or a room that is given as a whole: what the service counts in.
CREATE TABLE beds (
  bed text PRIMARY KEY,
  service_id text NOT NULL REFERENCES services,
  sleeps integer NOT NULL DEFAULT 1 CHECK (sleeps BETWEEN 1 AND 20),
  step_free boolean NOT NULL DEFAULT false,
  out_of_use boolean NOT NULL DEFAULT false,
  -- Who has it. NULL: it is free. A stay that is erased leaves it free.
  stay_id bigint REFERENCES stays ON DELETE SET NULL
);
CREATE INDEX ON beds (stay_id);

-- Takes the beds of a stay that has none yet, or gives them back when it has ended. All of them or none: the bed
-- itself says who has it, and is locked while that is decided, so that two stays never get the same one.
CREATE FUNCTION settle_beds() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  missing integer;
  taken integer;
BEGIN
  IF NOT NEW.takes_bed OR coalesce(NEW.step IN ('refused', 'left', 'left_early', 'not_come'), false) THEN
    UPDATE beds SET stay_id = NULL WHERE stay_id = NEW.stay_id;
    RETURN NULL;
  END IF;
  SELECT NEW.quantity - count(*) INTO missing FROM beds WHERE stay_id = NEW.stay_id;
  IF missing <= 0 THEN RETURN NULL; END IF;
  -- The smallest that fit go first, and step-free ones to those who need them.
  UPDATE beds SET stay_id = NEW.stay_id WHERE bed = ANY (ARRAY(
    SELECT bed FROM beds
    WHERE stay_id IS NULL AND NOT out_of_use AND service_id = NEW.service_id
      AND (step_free OR NOT NEW.step_free) AND sleeps * NEW.quantity >= coalesce(NEW.people, 0)
    ORDER BY step_free, sleeps, bed LIMIT missing FOR UPDATE));
  GET DIAGNOSTICS taken = ROW_COUNT;
  IF taken < missing THEN
    -- The node shows people the names of the table and of the constraint.
    RAISE EXCEPTION 'no free bed fits' USING
      ERRCODE = 'check_violation', TABLE = 'beds', CONSTRAINT = 'no_free_bed_fits';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER settle_beds AFTER INSERT OR UPDATE ON stays FOR EACH ROW EXECUTE FUNCTION settle_beds();

-- What the house has said, in order: an erased stay takes it along.
CREATE TABLE changes (
  change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  stay_id bigint NOT NULL REFERENCES stays ON DELETE CASCADE,
  step text NOT NULL,
  details jsonb NOT NULL
);
CREATE INDEX ON changes (stay_id);

CREATE FUNCTION utc(at timestamptz) RETURNS text LANGUAGE sql STABLE AS
  $$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:00"Z"') $$;

-- One writer at a time, so that a change with a smaller number never appears after one with a larger: the node reads
-- on from the last number that it saw.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM pg_advisory_xact_lock('changes'::regclass::oid::bigint);
  INSERT INTO changes (stay_id, step, details) VALUES (NEW.stay_id, NEW.step, jsonb_strip_nulls(jsonb_build_object(
    'free_from', utc(NEW.free_from), 'held_until', utc(NEW.held_until), 'reason', NEW.reason,
    'expected_from', utc(NEW.expected_from), 'expected_until', utc(NEW.expected_until),
    'review_on', NEW.review_on, 'quantity', NEW.quantity)));
  RETURN NULL;
END $$;
CREATE TRIGGER a_note_change
  AFTER UPDATE OF step, free_from, held_until, reason, expected_from, expected_until, review_on ON stays
  FOR EACH ROW WHEN (NEW.referral_key IS NOT NULL AND NEW.step IS NOT NULL AND
    (OLD.step, OLD.free_from, OLD.held_until, OLD.reason, OLD.expected_from, OLD.expected_until, OLD.review_on)
    IS DISTINCT FROM
    (NEW.step, NEW.free_from, NEW.held_until, NEW.reason, NEW.expected_from, NEW.expected_until, NEW.review_on))
  EXECUTE FUNCTION note_change();

-- What the node reads.
CREATE VIEW answers AS
  SELECT change_id, encode(decode(referral_key, 'hex'), 'base64') AS referral_id, c.step, details,
         to_jsonb(conditions) AS conditions
  FROM changes c JOIN stays USING (stay_id) JOIN services USING (service_id)
  WHERE referral_key IS NOT NULL;

CREATE VIEW room AS
  SELECT service_id, waiting_list,
         count(bed) FILTER (WHERE NOT out_of_use AND stay_id IS NULL) AS free,
         count(bed) FILTER (WHERE NOT out_of_use) AS maximum
  FROM services LEFT JOIN beds USING (service_id) GROUP BY service_id;

-- The node sees what it wrote, and of all else these two views.
GRANT SELECT ON answers, room TO :"node_role";
GRANT SELECT (service_id, code) ON services TO :"node_role";
GRANT DELETE ON stays TO :"node_role";
GRANT
  SELECT (referral_key, service_id, state, takes_bed, urgency, answer_by, quantity, people, adults, children, step_free,
          arrive_from, arrive_until, nights, language, name_on_the_door, advice),
  INSERT (referral_key, service_id, state, takes_bed, urgency, answer_by, quantity, people, adults, children, step_free,
          arrive_from, arrive_until, nights, language, name_on_the_door, advice),
  UPDATE (service_id, state, takes_bed, urgency, answer_by, quantity, people, adults, children, step_free,
          arrive_from, arrive_until, nights, language, name_on_the_door, advice)
  ON stays TO :"node_role";
