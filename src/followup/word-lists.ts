/*
 * This software is part of sbert-service. Copyright (c) 2026 the sbert-service authors.
 * Released under the MIT licence, which is in the file LICENSE.
 */

// Words that classify names which the tagger does not know. All in lower case.

const words = (list: string): ReadonlySet<string> => new Set(list.trim().split(/\s+/))

/** Before a person's name. */
export const TITLES = words(`
  mr mrs ms miss mx dr doctor prof professor sir dame lord lady rev reverend father sister brother pastor rabbi imam
  captain capt commander cmdr lieutenant lt colonel col major maj general gen admiral adm sergeant sgt corporal cpl private
  pvt chief officer sheriff detective inspector ensign petty master gunny coach chef judge justice senator sen
  representative congressman congresswoman president governor mayor ambassador secretary minister king queen prince
  princess saint nurse coach principal dean`)

/** Ends the name of an organisation: `Mayo Clinic`. */
export const ORGANISATION_LAST = words(`
  university college institute school academy polytechnic conservatory seminary
  corps guard force navy army marines brigade battalion regiment squadron division reserve reserves legion rangers
  department agency administration bureau ministry commission council committee authority office service services
  foundation association society federation union league alliance institution trust fund
  company corporation corp inc ltd llc plc group partners holdings industries systems technologies technology solutions
  labs laboratory laboratories electric motors airlines airways aerospace aviation dynamics pharmaceuticals energy
  bank insurance capital hospital clinic church museum orchestra symphony philharmonic ballet theatre theater
  press times post journal magazine network studios records center centre team club fc cross scouts crescent nations`)

/** Begins the name of an organisation, with `of` or a name after it: `USS Nimitz`, `University of Ibadan`. */
export const ORGANISATION_FIRST = words(`
  university college institute school academy department ministry bank bureau church museum office uss hms usns`)

/** Ends the name of a place: `Chesapeake Bay`. */
export const PLACE_LAST = words(`
  bay river lake lakes creek falls ocean sea gulf strait sound fjord island islands isle peninsula peninsular cape beach coast
  mountain mountains hills hill peak ridge canyon valley desert plains forest glacier volcano reef delta
  city town village county province district borough heights springs park field fields garden gardens square plaza stadium
  street avenue road boulevard lane drive highway freeway bridge tunnel airport station harbor harbour pier
  base barracks airfield arena tower building hall house palace castle temple`)

/** Begins the name of a place: `Fort Bragg`, `Strait of Hormuz`. */
export const PLACE_FIRST = words(`
  mount mt lake cape fort ft camp port point new san santa santo são saint st los las el rio north south east west northern
  southern eastern western central upper lower great gulf strait bay isle republic kingdom joint naval`)

/** After these, `of` goes on with the same name. */
export const OF_HEADS = words(`
  university college institute school academy department ministry bank bureau church museum office
  gulf strait bay isle republic kingdom cape house board secretary society city corps`)

/** Lower-case words inside names: `Rio de Janeiro`, `Ludwig van Beethoven`. */
export const NAME_PARTICLES = words(
  'de da do dos das del della di du des van von der den ter bin ibn al la las los le y e'
)

/** Acronyms of places. */
export const PLACE_ACRONYMS = words('us usa uk uae nyc dc la sf drc prc ussr')

/** Codes of the states of the USA, which are places after `in` or after a town and a comma. */
export const STATE_CODES = words(`
  al ak az ar ca co ct de fl ga hi id il in ia ks ky me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx
  ut vt va wa wv wi wy`)

/** Acronyms that nobody would ask about. */
export const COMMON_ACRONYMS = words(`
  ok tv pc id ceo cto cfo coo vp hr pr phd md ba bs bsc ma msc ms mba jd rn am pm ad bc bce ce aka asap diy faq fyi lol
  dvd cd dj ac dc suv atv rv ps vs etc er iq pe ged ii iii iv vi vii viii ix xi xii`)

/** Capitalised words that are not names to ask about. */
export const COMMON_NAMES = words(`
  god lord internet web bible koran christmas easter thanksgiving halloween hanukkah ramadan english math maths
  monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september
  october november december spring summer autumn fall winter professor doctor captain sergeant chief boss sir ma'am ok okay
  republican democrat republicans democrats christian christians muslim muslims jewish catholic buddhist hindu black white`)

/** Verbs whose subject is a person, when it is an unknown name. */
export const PERSON_VERBS = words(`
  said says told tells asked asks taught teaches thought thinks knew knows felt laughed smiled cried called calls wrote
  writes spoke talked listened believed believes loved loves hated showed shows helped helps hired introduced
  invited convinced encouraged mentored coached married died pulled gave looked walked sat stood ran drove cooked played
  sang grew raised met became retired could would used always never`)

/** Verbs whose object is a person, when it is an unknown name. */
export const MEETING_VERBS = words(`
  met meet meeting married marry hired thank thanked ask asked tell told admire admired remember remembered
  call called named invite invited mentored befriended interviewed miss missed introduced`)

/** Verbs whose object is an organisation, when it is an unknown name. */
export const BELONGING_VERBS = words(`
  joined join joining left leave leaving quit founded started ran attended attend enrolled graduated applied apply applying
  interned worked work working works signed contracted consulted transferred enlisted volunteered`)

/** Prepositions before the name of a place. */
export const PLACE_PREPOSITIONS = words(
  'in from to near outside around across through into toward towards via off throughout inside beyond over along beside'
)

/** Adjectives between a preposition and a place: `in rural Montana`. */
export const PLACE_ADJECTIVES = words(
  'rural downtown central northern southern eastern western upstate old beautiful sunny nearby inner suburban'
)

/** Relatives, besides those with `great-`, `step-`, `half-`, `ex-` or `-in-law`. */
export const RELATIVES = words(`
  mother mom mum mama momma mommy mummy father dad papa pop pops daddy parent parents
  brother brothers sister sisters sibling siblings twin twins triplets
  son sons daughter daughters child children kid kids baby
  husband wife spouse fiance fiancee fiancé fiancée
  grandmother grandma granny nana gran grandfather grandpa granddad grandad gramps grandparent grandparents abuela abuelo
  grandson grandsons granddaughter granddaughters grandchild grandchildren grandkids
  aunt aunts auntie aunty uncle uncles cousin cousins niece nieces nephew nephews
  family in-laws stepfather stepmother stepdad stepmom stepbrother stepsister stepson stepdaughter stepchildren stepkids
  godfather godmother godson goddaughter godparents foster-parents relatives folks`)

/** Words for relatives that are also used as names: `Mom worked nights`, `Uncle Ray`. */
export const RELATIVES_AS_NAMES = words(`
  mother mom mum mama momma mommy mummy father dad papa pop daddy grandmother grandma granny nana gran grandfather grandpa
  granddad grandad gramps abuela abuelo aunt auntie aunty uncle cousin`)

/** Words that change the meaning of a relative's word before them: `my mother tongue`, `my family doctor`. */
export const RELATIVE_COMPOUNDS = words(`
  tongue ship ships city cities company board figure doctor business tree name farm history room member members friend
  friends car dinner life home house lawyer dog plan values reunion officers officer unit`)
