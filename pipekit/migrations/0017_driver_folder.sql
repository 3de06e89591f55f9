-- Below which folder the embedded databases of a kind lie; NULL: its connections lead to servers alone.
ALTER TABLE driver ADD COLUMN folder TEXT;
