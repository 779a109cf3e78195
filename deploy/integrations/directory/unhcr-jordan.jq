# An example: the inter-agency services of the UNHCR Services Advisor for Jordan (GeoJSON features, in
# English or in Arabic) as records of the directory. Both languages give the same record ids.
#
#   waymark directory import services_en.json --mapping unhcr-jordan.jq --source jordan \
#     --unit lin.family --default last_verified=2014-11-01
#
# $args.today ends what had ended by then; the command gives today's date unless --arg today=DAY.
# The source has no day of verification, hence --default. What has no code in the taxonomy (water,
# sanitation, construction) comes out without one, and the import lists it as incomplete.

# The values under the question with this number, whatever its words.
def answers($number):
  [.properties | to_entries[] | select(.key | startswith($number + ". ")) | .value | keys[]];

def service_code:
  {"5574": 303, "5575": 1001, "5576": 903, "5577": 1001, "5578": 402, "5579": 301, "5598": 402,
   "5599": 402, "5601": 302, "5602": 502, "5603": 902, "5604": 1102, "5606": 801, "5607": 701,
   "5608": 205, "5612": 302, "20815": 503}[.properties.activity | tostring];

# ISO 3166-2, by the names of governorates, districts, towns and camps.
def governorates:
  [["JO-AJ", "Ajlun|Kufranjah|عجلون|كفرنجة"],
   ["JO-AM", "Amman|Marka|Jamiah|عمان|ماركا|الجامية"],
   ["JO-AQ", "Aqaba|العقبة"],
   ["JO-AT", "Tafil|الطفيلة"],
   ["JO-AZ", "Zarqa|Azraq|Emirati|Rusayfa|Hashimiyyah|الزرقاء|الأزرق|الرصيفية|الهاشمية"],
   ["JO-BA", "Balqa|Salt|Dayr Alla|البلقاء|السلط|دير علا"],
   ["JO-IR", "Irbid|Ramtha|Nu3ayyimah|Cyber|Kinanah|Ubayid|Kurah|Wasatiyah|Tayyibah|Aqraba|Kharja"],
   ["JO-IR", "King Abdullah|Mazar ash Shamali|Aghwar ash Shamaliyah|اربد|الرمثا|النعيمية|سايبر"],
   ["JO-IR", "كنانة|بني عباد|الكورة|الواسطية|الطيبة|عقربا|خرجة|عبد الله|المزار الشمالي|الأغوار الشمالية"],
   ["JO-JA", "Jarash|جرش"],
   ["JO-KA", "Karak|Mazar al Janubi|Aghwar al Janubiyah|Ghawr|Qatranah"],
   ["JO-KA", "الكرك|المزار الجنوبي|الأغوار الجنوبية|غور الصافي|القطرانة"],
   ["JO-MA", "Mafraq|Zaatari|Khaldyah|Badiyah|Ruwayshid|Sarhan"],
   ["JO-MA", "المفرق|الزعتري|البادية|الرويشد|السرحان"],
   ["JO-MD", "Madaba|Mleah|مادبا|مليح"],
   ["JO-MN", "Maan|Shubak|معان|الشوبك"]];

def service_areas:
  .properties.locationName as $name
  | if (answers("5") | any(. == "Countrywide" or . == "البلد كله"))
       or ($name | test("Country Wide|البلاد")) then
      [governorates[][0]] | unique
    else
      [governorates[] | select(.[1] as $names | $name | test($names)) | .[0]] | unique
    end;

def weekdays:
  {"Sun-Thurs": [1, 2, 3, 4, 7], "الأحد-الخميس": [1, 2, 3, 4, 7],
   "Mon-Thurs  and Sat": [1, 2, 3, 4, 6], "الاثنين-الخميس والسبت": [1, 2, 3, 4, 6],
   "Mondays only": [1], "أيام الاثنين فقط": [1], "Tuesdays only": [2], "أيام الثلاثاء فقط": [2],
   "Thursdays only": [4], "أيام الخميس فقط": [4], "Saturdays only": [6], "أيام السبت فقط": [6],
   "Sundays only": [7], "أيام الأحد فقط": [7]} as $days
  | [answers("7")[] | $days[.] // empty | .[]] | unique;

# "8:30am" and "... 17:00 ..." in minutes after midnight.
def minutes:
  capture("(?<hour>[0-9]{1,2}):(?<minute>[0-9]{2})")
  | (.hour | tonumber) * 60 + (.minute | tonumber);

# Only a service that is there every week, with one opening and one closing time, has weekly hours.
def intake_hours:
  answers("8") as $opens | answers("9") as $closes
  | (answers("6") | any(. == "Every Day" or . == "Once a week" or . == "كل يوم"
                        or . == "مرة في الأسبوع")) as $weekly
  | if ($weekly | not) then []
    elif ($opens | any(test("Always|دائما"))) and ($closes | any(test("Never|لا يغلق"))) then
      [range(1; 8) | {weekday: ., from_minute: 0, to_minute: 1440}]
    elif ($opens | length) == 1 and ($closes | length) == 1
         and ($opens[0] | test("[0-9]:[0-9]")) and ($closes[0] | test("[0-9]:[0-9]")) then
      ($opens[0] | minutes) as $from | ($closes[0] | minutes) as $to
      | if $from < $to then [weekdays[] | {weekday: ., from_minute: $from, to_minute: $to}]
        else [] end
    else [] end;

def documents:
  {"Valid UNHCR ASC and MOI card": "ASC_AND_MOI_VALID",
   "وثيقة طلب اللجوء و بطاقة الخدمات الصادرة عن وزارة الداخلية صالحتان": "ASC_AND_MOI_VALID",
   "Expired and Valid UNHCR ASC and MOI": "ASC_AND_MOI",
   "وثيقة طلب اللجوء و بطاقة الخدمات الصادرة عن وزارة الداخلية صالحتان أو منتهيتان الصلاحية":
     "ASC_AND_MOI",
   "UNHCR ASC": "ASC", "وثيقة طلب اللجوء": "ASC",
   "MOI card": "MOI", "بطاقة الخدمات الصادرة عن وزارة الداخلية": "MOI",
   "Orginal Proof of Syrian ID": "SY_ID", "الإثبات الاصلي للهوية السورية": "SY_ID"};

def nationals:
  {"Syrians only": "NATIONALS_SY", "السوريون فقط": "NATIONALS_SY",
   "Jordanians only": "NATIONALS_JO", "الأردنيون فقط": "NATIONALS_JO",
   "Other nationalities only": "NATIONALS_OTHER", "جنسيات أخرى فقط": "NATIONALS_OTHER"};

def conditions:
  [(answers("1")[] | documents[.] // empty
    | {kind: "CONDITION_KIND_DOCUMENTS", value: ., strength: "CONDITION_STRENGTH_REQUIRED"}),
   (answers("2")[] | nationals[.] // empty
    | {kind: "CONDITION_KIND_IMMIGRATION_STATUS", value: .,
       strength: "CONDITION_STRENGTH_REQUIRED"}),
   # The Arabic file has the same words for outreach, hence says nothing here.
   (if answers("4") == ["Referrals only"] then
      {kind: "CONDITION_KIND_REFERRER_TYPE", value: "REFERRAL_ONLY",
       strength: "CONDITION_STRENGTH_REQUIRED"}
    else empty end)];

{
  record_id: "\(.id)-\(.properties.activity)",
  has_address: (.geometry.coordinates != null),
  service: ({
    provider_kind: "PROVIDER_KIND_MAINSTREAM",
    location_kind: "LOCATION_KIND_ADDRESSED",
    service_areas: service_areas,
    intake_hours: intake_hours,
    conditions: conditions,
    withdrawn: (.properties.endDate < ($args.today // ""))
  } + (service_code as $code | if $code then {code: $code} else {} end))
}
